import { call } from './client';
import { ApiError, errorOf } from './errors';
import type { PicturePage } from './types';

const BASE = '/api/v1';
/** A rescan takes so many pictures at once. */
const MOST_IDS = 1000;

export interface BrowseFilter {
  label: string | null;
  /** Moments, ISO 8601; `before` is not included. */
  after: string | null;
  before: string | null;
  state: string;
}

/** A page of the collection, the newest first: by when it was taken, else changed. */
export function browsePictures(
  filter: BrowseFilter,
  limit: number,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<PicturePage> {
  const query = new URLSearchParams({ limit: String(limit), state: filter.state });
  for (const name of ['label', 'after', 'before'] as const) {
    const value = filter[name];
    if (value !== null) query.set(name, value);
  }
  if (cursor !== null) query.set('cursor', cursor);
  return call(`${BASE}/images?${query}`, {}, signal);
}

/** Takes a picture out of the bucket and the collection. */
export async function deletePicture(id: string): Promise<void> {
  const url = `${BASE}/images/${encodeURIComponent(id)}`;
  const response = await fetch(url, { method: 'DELETE' }).catch(() => null);
  if (!response) throw new ApiError(0, {});
  if (!response.ok && response.status !== 404) throw errorOf(response.status, await response.text(), null);
}

/** Tries failed pictures again now; how many of them wait again. */
export async function retryPictures(ids: readonly string[]): Promise<number> {
  let retried = 0;
  for (let from = 0; from < ids.length; from += MOST_IDS) {
    const answer = await call<{ retried?: number }>(`${BASE}/ingest/rescan`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ids: ids.slice(from, from + MOST_IDS) }),
    });
    retried += answer.retried ?? 0;
  }
  return retried;
}
