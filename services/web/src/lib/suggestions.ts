import { words } from './format';

/** A label as a query to try. */
export interface Suggestion {
  label: string;
  text: string;
}

/**
 * Queries to try, out of the collection's labels: words only, largest folders first, at most `limit`. Folders
 * whose names say nothing to a model (`DCIM`, `2019-08`, `new folder`) are left out.
 */
export function suggestions(
  labels: readonly { label: string; count: number }[],
  limit: number,
): Suggestion[] {
  const seen = new Set<string>();
  const found: Suggestion[] = [];
  for (const { label } of [...labels].sort((a, b) => b.count - a.count || a.label.localeCompare(b.label))) {
    const text = words(label);
    if (!/^\p{L}[\p{L} ']{2,23}$/u.test(text) || SAYS_NOTHING.has(text) || seen.has(text)) continue;
    seen.add(text);
    found.push({ label, text });
    if (found.length === limit) break;
  }
  return found;
}

const SAYS_NOTHING = new Set([
  'dcim',
  'camera',
  'camera roll',
  'downloads',
  'images',
  'misc',
  'new folder',
  'photos',
  'pictures',
  'samples',
  'screenshots',
  'tmp',
  'untitled folder',
  'upload',
  'uploads',
]);
