import { ApiError, errorOf } from './errors';
import type { FailurePage, IngestState, Models, Picture, PicturePage, SearchAnswer, Stats } from './types';

const BASE = '/api/v1';
const TIMEOUT_MS = 30_000;

type Parameters = Record<string, string | number | null | undefined>;

function withParameters(path: string, parameters: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return BASE + path + (text ? `?${text}` : '');
}

/**
 * The JSON of one call. Throws `ApiError` for every answer that is not a success, with status 0 where there was
 * no answer; an aborted call throws the signal's own AbortError.
 */
export async function call<T>(url: string, init: RequestInit = {}, signal?: AbortSignal): Promise<T> {
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  let body: string;
  try {
    response = await fetch(url, {
      ...init,
      headers: { accept: 'application/json', ...init.headers },
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    body = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, {
      detail: deadline.aborted ? 'The answer took longer than 30 seconds.' : '',
    });
  }
  if (!response.ok) throw errorOf(response.status, body, response.headers.get('retry-after'));
  try {
    return JSON.parse(body) as T;
  } catch {
    throw new ApiError(502, {});
  }
}

export function searchText(text: string, limit: number, signal?: AbortSignal): Promise<SearchAnswer> {
  return call(withParameters('/search', { q: text, limit }), {}, signal);
}

/** What a search is composed of; at least one part. */
export interface Parts {
  text?: string;
  file?: { blob: Blob; name: string };
  id?: string;
}

export function searchComposed({ text, file, id }: Parts, limit: number, signal?: AbortSignal) {
  const form = new FormData();
  if (text) form.set('q', text);
  if (file) form.set('file', file.blob, file.name);
  if (id) form.set('id', id);
  form.set('limit', String(limit));
  return call<SearchAnswer>(withParameters('/search', {}), { method: 'POST', body: form }, signal);
}

export function similar(id: string, limit: number, signal?: AbortSignal): Promise<SearchAnswer> {
  return call(withParameters(`/images/${encodeURIComponent(id)}/similar`, { limit }), {}, signal);
}

export function picture(id: string, signal?: AbortSignal): Promise<Picture> {
  return call(withParameters(`/images/${encodeURIComponent(id)}`, {}), {}, signal);
}

export function browse(
  options: { label?: string; state?: string; cursor?: string | null; limit?: number },
  signal?: AbortSignal,
): Promise<PicturePage> {
  return call(withParameters('/images', options), {}, signal);
}

export function ingestState(signal?: AbortSignal): Promise<IngestState> {
  return call(withParameters('/ingest', {}), {}, signal);
}

export function ingestFailures(cursor: string | null, signal?: AbortSignal): Promise<FailurePage> {
  return call(withParameters('/ingest/failures', { cursor }), {}, signal);
}

export function rescan(): Promise<unknown> {
  return call(withParameters('/ingest/rescan', {}), { method: 'POST' });
}

export function models(signal?: AbortSignal): Promise<Models> {
  return call(withParameters('/models', {}), {}, signal);
}

export function stats(signal?: AbortSignal): Promise<Stats> {
  return call(withParameters('/stats', {}), {}, signal);
}
