/** How figures and times read on the page. */

const numbers = new Intl.NumberFormat('en');

export function count(value: number): string {
  return numbers.format(value);
}

export function plural(value: number, one: string, many: string): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Cosine similarity to two places; 1.00 is kept for what is all but the same. */
export function similarity(value: number): string {
  const text = (value < 0.9995 ? Math.min(value, 0.994) : value).toFixed(2);
  return text === '-0.00' ? '0.00' : text.replace('-', '\u2212');
}

/** A probability in percent; 0 and 100 are kept for what is certain, which nothing is. */
export function percent(probability: number): string {
  return `${Math.min(99, Math.max(1, Math.round(100 * probability)))}\u00a0%`;
}

/** The bar beside a similarity: its share of the best one, from 0 to 1. */
export function similarityShare(value: number, best: number): number {
  if (!(best > 0)) return 0;
  return Math.min(1, Math.max(0, value / best));
}

export function bytes(value: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && size < 9.95 ? 1 : 0;
  return `${size.toFixed(digits)} ${value === 1 ? 'byte' : (units[unit] ?? '')}`;
}

export function milliseconds(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

/** How long ago, in the largest unit that fits; `now` in milliseconds. */
export function ago(value: string | null | undefined, now: number = Date.now()): string {
  const then = value ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(then)) return '';
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 10) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return plural(Math.floor(seconds / 86_400), 'day', 'days') + ' ago';
}

/** A folder's name as words: `hot_air-balloons` is "hot air balloons". */
export function words(label: string): string {
  return label
    .replace(/[_\-.]+/g, ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
}
