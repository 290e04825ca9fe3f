import { queryKey, type Query } from './address';

/** The searches that led, picture by picture, to the one that is shown; the first is where it began. */
export type Breadcrumbs = readonly Query[];

const MOST = 8;

/**
 * The breadcrumbs after a step from one query to another. A search for more like a picture goes on from what it was found
 * by; anything else begins anew, and a query that is among them already cuts them there.
 */
export function breadcrumbsAfter(breadcrumbs: Breadcrumbs, from: Query, to: Query): Breadcrumbs {
  if (queryKey(from) === queryKey(to)) return breadcrumbs;
  const steps = from.kind === 'none' ? breadcrumbs : [...breadcrumbs, from];
  const known = steps.findIndex((step) => queryKey(step) === queryKey(to));
  if (known >= 0) return steps.slice(0, known);
  return to.kind === 'like' ? steps.slice(-MOST) : [];
}
