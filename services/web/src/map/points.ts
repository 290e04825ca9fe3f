import type { MapAnswer, MapPoints } from './types';

export const NO_POINTS: MapPoints = { ids: [], x: [], y: [], label: [], cluster: [], new: [] };

/** The points that are known, with the columns that an answer changes; null while there are none. */
export function mergePoints(known: MapPoints | null, told: MapAnswer['points']): MapPoints | null {
  if (!told) return known;
  const before = known ?? NO_POINTS;
  return {
    ids: told.ids ?? before.ids,
    x: told.x ?? before.x,
    y: told.y ?? before.y,
    label: told.label ?? before.label,
    cluster: told.cluster ?? before.cluster,
    new: told.new ?? before.new,
  };
}
