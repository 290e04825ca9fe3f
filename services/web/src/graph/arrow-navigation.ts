import type { Point } from './layout';

const DIRECTIONS: Record<string, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/**
 * The place that an arrow key leads to from another: the nearest within 45 degrees of its direction, else the nearest
 * beyond; what lies aside counts more than what lies ahead. Null where there is none. y is down.
 */
export function nextInDirection(
  places: ReadonlyMap<string, Point>,
  from: string,
  key: string,
): string | null {
  const direction = DIRECTIONS[key];
  const start = places.get(from);
  if (!direction || !start) return null;
  let best: string | null = null;
  let least = Infinity;
  for (const [id, { x, y }] of places) {
    if (id === from) continue;
    const dx = x - start.x;
    const dy = y - start.y;
    const ahead = dx * direction.x + dy * direction.y;
    const aside = Math.abs(dx * direction.y) + Math.abs(dy * direction.x);
    if (ahead <= 0) continue;
    const cost = ahead + 2 * aside + (aside > ahead ? 1e6 : 0);
    if (cost < least) {
      least = cost;
      best = id;
    }
  }
  return best;
}
