import type { Spot } from './camera';

/** Whether a spot lies inside a polygon, by the even-odd rule; the polygon is closed by itself. */
export function inside(x: number, y: number, polygon: readonly Spot[]): boolean {
  let within = false;
  let before = polygon.at(-1);
  for (const corner of polygon) {
    if (before && corner.y > y !== before.y > y) {
      const crossing = ((before.x - corner.x) * (y - corner.y)) / (before.y - corner.y) + corner.x;
      if (x < crossing) within = !within;
    }
    before = corner;
  }
  return within;
}

/** The points of `x` and `y` within a polygon, but for those that `shown` leaves out. */
export function enclosed(
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
  polygon: readonly Spot[],
  shown: (index: number) => boolean,
): number[] {
  if (polygon.length < 3) return [];
  const left = Math.min(...polygon.map(({ x }) => x));
  const right = Math.max(...polygon.map(({ x }) => x));
  const bottom = Math.min(...polygon.map(({ y }) => y));
  const top = Math.max(...polygon.map(({ y }) => y));
  const found: number[] = [];
  for (let index = 0; index < xs.length; index += 1) {
    const x = xs[index] ?? NaN;
    const y = ys[index] ?? NaN;
    if (x >= left && x <= right && y >= bottom && y <= top && shown(index) && inside(x, y, polygon))
      found.push(index);
  }
  return found;
}
