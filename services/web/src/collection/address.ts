import type { PageParameters } from '../lib/state/address';
import { dayStart } from '../map/form';
import type { ImageFilter } from '../lib/api/images';

/** What the address holds of the collection page; days as an input of dates has them, empty for none. */
export interface CollectionView {
  label: string | null;
  from: string;
  to: string;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function parseView(parameters: PageParameters): CollectionView {
  const day = (value: string | undefined) => (value && DAY.test(value) ? value : '');
  return { label: parameters.label || null, from: day(parameters.from), to: day(parameters.to) };
}

export function formatView({ label, from, to }: CollectionView): PageParameters {
  return { ...(label ? { label } : {}), ...(from ? { from } : {}), ...(to ? { to } : {}) };
}

/** The day in `to` counts whole. */
export function filterOf({ label, from, to }: CollectionView): ImageFilter {
  const [after, before] = [dayStart(from), dayStart(to, 1)];
  return {
    state: ['indexed'],
    ...(label && { label: [label] }),
    ...(after && { after }),
    ...(before && { before }),
  };
}
