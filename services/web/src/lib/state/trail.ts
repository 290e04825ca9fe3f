import { queryKey, type Query } from './address';

/** The searches that led, picture by picture, to the one that is shown; the first is where it began. */
export type Trail = readonly Query[];

const MOST = 8;

/**
 * The trail after a step from one query to another. A search for more like a picture goes on from what it was found
 * by; anything else begins anew, and a query that is on the trail already cuts it there.
 */
export function trailAfter(trail: Trail, from: Query, to: Query): Trail {
  if (queryKey(from) === queryKey(to)) return trail;
  const steps = from.kind === 'none' ? trail : [...trail, from];
  const known = steps.findIndex((step) => queryKey(step) === queryKey(to));
  if (known >= 0) return steps.slice(0, known);
  return to.kind === 'like' ? steps.slice(-MOST) : [];
}
