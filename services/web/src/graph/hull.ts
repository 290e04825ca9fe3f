import type { Placed, Point } from './layout';

/** The outline of a group: the corners of its convex hull, to be drawn with a round brush. */
export function hullOf(places: readonly Placed[], pad: number): Point[] {
  const SIDES = 10;
  const points = places.flatMap(({ x, y, radius }) =>
    Array.from({ length: SIDES }, (_, side) => {
      const angle = (2 * Math.PI * side) / SIDES;
      return { x: x + Math.cos(angle) * (radius + pad), y: y + Math.sin(angle) * (radius + pad) };
    }),
  );
  return convexHull(points);
}

/** Andrew's monotone chain; counter-clockwise with y up. */
function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  if (sorted.length < 3) return sorted;
  const turn = (o: Point, a: Point, b: Point) => (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
  const half = (run: readonly Point[]) => {
    const chain: Point[] = [];
    for (const point of run) {
      while (chain.length >= 2) {
        const [a, b] = [chain.at(-2), chain.at(-1)];
        if (!a || !b || turn(a, b, point) > 0) break;
        chain.pop();
      }
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** How much of a box of the given middle and size is covered by discs. */
function covered(box: Box, discs: readonly Placed[]): number {
  return discs.reduce((sum, { x, y, radius }) => {
    const dx = Math.max(box.left - x, 0, x - box.right);
    const dy = Math.max(box.top - y, 0, y - box.bottom);
    return sum + Math.max(0, radius - Math.hypot(dx, dy));
  }, 0);
}

/**
 * The middle of a group's name: above its hull, or below it, or further along, wherever it covers fewest pictures and
 * lies within the panel.
 */
export function namePlace(
  hull: readonly Point[],
  discs: readonly Placed[],
  taken: readonly Box[],
  size: { width: number; height: number },
  panel: { width: number; height: number },
): Point {
  const left = Math.min(...hull.map(({ x }) => x));
  const right = Math.max(...hull.map(({ x }) => x));
  const candidates = [0.5, 0.3, 0.7, 0.1, 0.9].flatMap((share) => {
    const x = Math.min(
      panel.width / 2 - size.width / 2 - 4,
      Math.max(size.width / 2 + 4 - panel.width / 2, left + (right - left) * share),
    );
    const column = hull.filter((point) => Math.abs(point.x - x) < (right - left) / 4 + size.width / 3);
    const points = column.length > 0 ? column : hull;
    const top = Math.min(...points.map(({ y }) => y));
    const bottom = Math.max(...points.map(({ y }) => y));
    return [
      { x, y: top - size.height * 0.2 },
      { x, y: bottom + size.height * 0.2 },
    ];
  });
  let best = { x: 0, y: 0 };
  let least = Infinity;
  candidates.forEach((point, index) => {
    const y = Math.min(
      panel.height / 2 - size.height / 2 - 2,
      Math.max(size.height / 2 + 2 - panel.height / 2, point.y),
    );
    const box = {
      left: point.x - size.width / 2,
      right: point.x + size.width / 2,
      top: y - size.height / 2,
      bottom: y + size.height / 2,
    };
    const clash = taken.filter(
      (other) =>
        box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom,
    ).length;
    const cost = covered(box, discs) + clash * 200 + index * 0.5;
    if (cost < least) {
      least = cost;
      best = { x: point.x, y };
    }
  });
  return best;
}
