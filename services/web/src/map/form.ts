import type { Stats } from '../lib/api/types';
import { laterDay } from '../lib/dates';
import { words } from '../lib/format';
import type { MapRequest } from './types';

export type LabelCount = Stats['labels'][number];

export const SAMPLES = [500, 1000, 2000, 5000, 10_000, 20_000, 50_000] as const;
export const DEFAULT_SAMPLE = 2000;
export const DEFAULT_PERPLEXITY = 30;
export const LEAST_PICTURES = 10;

interface Filter {
  labels: ReadonlySet<string>;
  folder: string;
  /** Days, as an input of dates has them; empty for none. */
  from: string;
  to: string;
  sample: number;
  perplexity: number;
}

/** The day in `to` counts whole. */
export function requestOf({ labels, folder, from, to, sample, perplexity }: Filter): MapRequest {
  const path = folder.trim().replace(/^\/+|\/+$/g, '');
  return {
    labels: [...labels],
    folders: path ? [path] : [],
    after: laterDay(from),
    before: laterDay(to, 1),
    sample,
    perplexity,
  };
}

/** Labels whose name holds all words of a search. */
export function matching(labels: readonly LabelCount[], search: string): readonly LabelCount[] {
  const wanted = words(search).split(' ').filter(Boolean);
  return labels.filter(({ label }) => wanted.every((word) => words(label).includes(word)));
}
