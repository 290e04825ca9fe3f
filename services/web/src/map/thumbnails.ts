import { toMap, toScreen, type Camera, type Size, type Spot } from './camera';

export const MOST_THUMBNAILS = 150;
/** From this zoom on pictures stand on the map; where few points are in view, before it. */
const FROM_ZOOM = 2.2;
const FEW = 120;

/** Whether so many points are so small that a look at which of them are in view is not worth its time. */
export function farAway(camera: Camera, count: number): boolean {
  return camera.zoom < FROM_ZOOM && count > 20 * FEW;
}

/** The side of a thumbnail in pixels: larger the nearer one is. */
export function thumbnailSide(zoom: number, size: Size): number {
  const most = size.width < 600 ? 60 : 84;
  return Math.round(Math.min(most, 34 + 9 * Math.log2(Math.max(1, zoom))));
}

interface Columns {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
}

/** Points within the view, and a little beyond its edges. */
export function inView(
  points: Columns,
  camera: Camera,
  size: Size,
  shown: (index: number) => boolean,
): number[] {
  const a = toMap({ x: -20, y: size.height + 20 }, camera, size);
  const b = toMap({ x: size.width + 20, y: -20 }, camera, size);
  const found: number[] = [];
  for (let index = 0; index < points.x.length; index += 1) {
    const x = points.x[index] ?? NaN;
    const y = points.y[index] ?? NaN;
    if (x >= a.x && x <= b.x && y >= a.y && y <= b.y && shown(index)) found.push(index);
  }
  return found;
}

/**
 * Which of the points in view show their pictures: none while one is far away, at most `MOST_THUMBNAILS`, none over
 * another one. Those that were shown before keep their place where they can, so that panning does not flicker.
 */
export function chooseThumbnails(
  points: Columns,
  visible: readonly number[],
  before: ReadonlySet<number>,
  camera: Camera,
  size: Size,
): number[] {
  if (camera.zoom < FROM_ZOOM && visible.length > FEW) return [];
  const side = thumbnailSide(camera.zoom, size) + 4;
  const taken = new Map<string, Spot[]>();
  const chosen: number[] = [];
  const free = (spot: Spot): boolean => {
    const column = Math.floor(spot.x / side);
    const row = Math.floor(spot.y / side);
    for (let dx = -1; dx <= 1; dx += 1) {
      for (let dy = -1; dy <= 1; dy += 1) {
        for (const other of taken.get(`${column + dx}:${row + dy}`) ?? []) {
          if (Math.abs(other.x - spot.x) < side && Math.abs(other.y - spot.y) < side) return false;
        }
      }
    }
    const cell = `${column}:${row}`;
    taken.set(cell, [...(taken.get(cell) ?? []), spot]);
    return true;
  };
  const order = [
    ...visible.filter((index) => before.has(index)),
    ...visible.filter((index) => !before.has(index)),
  ];
  for (const index of order) {
    if (chosen.length >= MOST_THUMBNAILS) break;
    const spot = toScreen({ x: points.x[index] ?? 0, y: points.y[index] ?? 0 }, camera, size);
    if (free(spot)) chosen.push(index);
  }
  return chosen;
}
