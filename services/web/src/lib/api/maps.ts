import type { MapAnswer, MapRequest, MapSummary } from '../../map/types';
import { call } from './client';
import { ApiError, errorOf } from './errors';
import type { PicturePage, SearchAnswer } from './types';

const BASE = '/api/v1';
/** A search takes so many pictures at once. */
export const MOST_LIKE = 50;

export function askMap(request: MapRequest): Promise<MapAnswer> {
  return call(`${BASE}/maps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
}

/** A map with its points; where `since` is the version of those that are known, with what changed of them. */
export function mapState(id: string, since?: number, signal?: AbortSignal): Promise<MapAnswer> {
  const query = since === undefined ? '' : `?since=${since}`;
  return call(`${BASE}/maps/${encodeURIComponent(id)}${query}`, {}, signal);
}

export async function maps(signal?: AbortSignal): Promise<MapSummary[]> {
  return (await call<{ maps: MapSummary[] }>(`${BASE}/maps`, {}, signal)).maps;
}

/** Cancels a map that is being made; forgets one that is there. */
export async function deleteMap(id: string): Promise<void> {
  const response = await fetch(`${BASE}/maps/${encodeURIComponent(id)}`, { method: 'DELETE' }).catch(
    () => null,
  );
  if (!response) throw new ApiError(0, {});
  if (!response.ok && response.status !== 404) throw errorOf(response.status, await response.text(), null);
}

/** Pictures like all of these; at most `MOST_LIKE` of them. */
export function likeThese(
  ids: readonly string[],
  limit: number,
  signal?: AbortSignal,
): Promise<SearchAnswer> {
  const form = new FormData();
  for (const id of ids.slice(0, MOST_LIKE)) form.append('id', id);
  form.set('limit', String(limit));
  form.set('clusters', 'false');
  return call(`${BASE}/search`, { method: 'POST', body: form }, signal);
}

/** A page of pictures of any of these labels, many at once. */
export function browseLabels(labels: readonly string[], cursor: string | null, signal?: AbortSignal) {
  const query = new URLSearchParams({ limit: '200' });
  for (const label of labels) query.append('label', label);
  if (cursor) query.set('cursor', cursor);
  return call<PicturePage>(`${BASE}/images?${query}`, {}, signal);
}

export interface LabelledFile {
  file: File;
  /** Where it lay: `cats/1.jpg`; its folder is its label. */
  path: string;
}

/** Sends pictures for a map of their own; they do not become part of the collection. */
export function uploadMap(
  files: readonly LabelledFile[],
  layout: { sample: number; perplexity: number },
  options: { onProgress?: (share: number) => void; signal?: AbortSignal } = {},
): Promise<MapAnswer> {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const { file, path } of files) form.append('files', file, path);
    form.set('sample', String(layout.sample));
    form.set('perplexity', String(layout.perplexity));
    const request = new XMLHttpRequest();
    request.open('POST', `${BASE}/maps/uploads`);
    request.setRequestHeader('accept', 'application/json');
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) options.onProgress?.(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        try {
          resolve(JSON.parse(request.responseText) as MapAnswer);
        } catch {
          reject(new ApiError(502, {}));
        }
      } else {
        reject(errorOf(request.status, request.responseText, request.getResponseHeader('retry-after')));
      }
    };
    request.onerror = () => reject(new ApiError(0, {}));
    request.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'));
    options.signal?.addEventListener('abort', () => request.abort());
    request.send(form);
  });
}
