import { day, wallTime } from '../lib/dates';
import { count, plural, words as spoken } from '../lib/format';
import type { MapProgress, MapState, Separation } from './types';

/** What a map is of, in a few words. */
export function mapTitle({ request, total }: Pick<MapState, 'request' | 'total'>): string {
  if (request.upload) return 'Uploaded pictures';
  if (request.ids > 0) return `${plural(request.ids, 'chosen picture', 'chosen pictures')}`;
  const parts = [...request.labels.map(spoken), ...request.folders];
  const named =
    parts.length > 3 ? `${parts.slice(0, 3).join(', ')} and ${parts.length - 3} more` : parts.join(', ');
  const dates = request.after || request.before ? dateRange(request.after, request.before) : '';
  const others = Object.entries(request.filters ?? {}).map(([name, value]) => `${name}: ${String(value)}`);
  if (!named && !dates && others.length === 0) return total > 0 ? 'The whole collection' : 'The collection';
  return [named, dates, ...others].filter(Boolean).join(', ');
}

function dateRange(after: string | null, before: string | null): string {
  const [from, to] = [day(wallTime(after)), day(wallTime(before))];
  if (from && to) return `${from} to ${to}`;
  return from ? `since ${from}` : to ? `before ${to}` : '';
}

/** How a map came about: "2,000 of 5,321 pictures, perplexity 30". */
export function mapFigures(map: Pick<MapState, 'count' | 'total' | 'request'>): string {
  const pictures =
    map.count < map.total
      ? `${count(map.count)} of ${plural(map.total, 'picture', 'pictures')}`
      : plural(map.count, 'picture', 'pictures');
  return `${pictures}, perplexity ${+map.request.perplexity.toFixed(1)}`;
}

const STEPS = {
  vectors: 'Reading the pictures\u2019 vectors',
  affinities: 'Finding each picture\u2019s neighbours',
  optimizing: 'Arranging the map',
  separating: 'Measuring how well labels separate',
} as const;

export function progressWords(state: MapState['state'], progress: MapProgress | null): string {
  if (state === 'queued') return 'Waiting for its turn';
  if (!progress) return 'Starting';
  return STEPS[progress.step];
}

/** The figures below: "iteration 250 of 750, KL divergence 1.83"; empty before there are any. */
export function progressFigures(progress: MapProgress | null): string {
  if (!progress || progress.iterations === 0 || progress.step === 'vectors' || progress.step === 'affinities')
    return '';
  const done = `iteration ${count(progress.iteration)} of ${count(progress.iterations)}`;
  return progress.kl_divergence === null
    ? done
    : `${done}, KL divergence ${progress.kl_divergence.toFixed(2)}`;
}

/** How far, from 0 to 1; null while that cannot be told. */
export function progressShare(progress: MapProgress | null): number | null {
  if (!progress || progress.iterations === 0) return null;
  if (progress.step === 'vectors' || progress.step === 'affinities') return null;
  return Math.min(1, progress.iteration / progress.iterations);
}

export function percent(share: number): string {
  const value = share * 100;
  return `${value > 99 && value < 100 ? value.toFixed(1) : Math.round(value)} %`;
}

export function agreementWords({ knn_agreement }: Pick<Separation, 'knn_agreement'>): string {
  return `${percent(knn_agreement)} of the ten nearest neighbours of a picture carry its own label.`;
}

/** The silhouette in words. Its size depends on the number of dimensions; only its order is told. */
export function silhouetteWords({ silhouette }: Pick<Separation, 'silhouette'>): string {
  const figure = silhouette.toFixed(2).replace('-', '\u2212');
  if (silhouette >= 0.25) return `The labels stand well apart (silhouette ${figure}).`;
  if (silhouette >= 0.08) return `The labels stand apart, with some overlap (silhouette ${figure}).`;
  if (silhouette >= 0) return `The labels touch and overlap (silhouette ${figure}).`;
  return `The labels lie among each other (silhouette ${figure}).`;
}

export function verdict({ knn_agreement }: Pick<Separation, 'knn_agreement'>): string {
  if (knn_agreement >= 0.95) return 'The labels separate cleanly';
  if (knn_agreement >= 0.8) return 'The labels separate well';
  if (knn_agreement >= 0.6) return 'The labels separate in part';
  return 'The labels hardly separate';
}

/** The map for who cannot see it. */
export function mapSummary(
  pictures: number,
  colouring: string,
  legend: readonly { name: string; count: number }[],
): string {
  const largest = legend.slice(0, 3).map(({ name, count: many }) => `${name} with ${count(many)}`);
  return [
    `${plural(pictures, 'picture', 'pictures')}.`,
    legend.length > 0
      ? `${plural(legend.length, colouring, `${colouring}s`)}, the largest ${largest.join(', ')}.`
      : '',
    'Arrow keys pan, plus and minus zoom, zero shows all, L draws a lasso.',
    'Select what is in view to go through its pictures one by one.',
  ]
    .filter(Boolean)
    .join(' ');
}
