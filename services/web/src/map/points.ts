import type { MapAnswer, MapPoints } from './types';

export const NO_POINTS: MapPoints = { ids: [], x: [], y: [], label: [], cluster: [], new: [] };

/** The points that are known, with the columns that an answer changes; null while there are none. */
export function mergePoints(known: MapPoints | null, changes: MapAnswer['points']): MapPoints | null {
  if (!changes) return known;
  const before = known ?? NO_POINTS;
  return {
    ids: changes.ids ?? before.ids,
    x: changes.x ?? before.x,
    y: changes.y ?? before.y,
    label: changes.label ?? before.label,
    cluster: changes.cluster ?? before.cluster,
    new: changes.new ?? before.new,
  };
}

/** Pairs of x and y, as WebGL takes them. */
export function positionsOf({ x, y }: MapPoints): Float32Array {
  const positions = new Float32Array(x.length * 2);
  for (let index = 0; index < x.length; index += 1) {
    positions[index * 2] = x[index] ?? 0;
    positions[index * 2 + 1] = y[index] ?? 0;
  }
  return positions;
}
