import type { PageParameters } from '../lib/state/address';
import { laterDay } from '../lib/dates';
import type { ImageFilter } from '../lib/api/images';

/** What the address holds of the collection page; days as an input of dates has them, empty for none. */
export interface CollectionView {
  label: string | null;
  from: string;
  to: string;
  /** Only this picture and its copies; its id. */
  copies: string | null;
}

export const ALL: CollectionView = { label: null, from: '', to: '', copies: null };

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function parseView(parameters: PageParameters): CollectionView {
  const day = (value: string | undefined) => (value && DAY.test(value) ? value : '');
  return {
    label: parameters.label || null,
    from: day(parameters.from),
    to: day(parameters.to),
    copies: parameters.copies || null,
  };
}

export function formatView({ label, from, to, copies }: CollectionView): PageParameters {
  return {
    ...(label ? { label } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(copies ? { copies } : {}),
  };
}

/** The day in `to` counts whole. Of copies one is shown, unless they are what is asked for. */
export function filterOf({ label, from, to, copies }: CollectionView): ImageFilter {
  const [after, before] = [laterDay(from), laterDay(to, 1)];
  return {
    state: ['indexed'],
    ...(copies ? { copies_of: copies } : { distinct: true }),
    ...(label && { label: [label] }),
    ...(after && { after }),
    ...(before && { before }),
  };
}
