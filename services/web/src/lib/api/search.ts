import { client, dataOf } from './client';
import type { Models, SearchAnswer } from './types';

/** A search takes so many pictures at once. */
export const MAX_EXAMPLES = 50;

export function searchByText(
  text: string,
  limit: number,
  signal: AbortSignal | null = null,
): Promise<SearchAnswer> {
  return dataOf(client.GET('/api/v1/search', { params: { query: { q: text, limit } }, signal }));
}

export function searchSimilar(
  id: string,
  limit: number,
  signal: AbortSignal | null = null,
): Promise<SearchAnswer> {
  const params = { path: { image_id: id }, query: { limit } };
  return dataOf(client.GET('/api/v1/images/{image_id}/similar', { params, signal }));
}

/** What a search is composed of; at least one of text, file and ids. */
interface ComposedQuery {
  text?: string;
  file?: { blob: Blob; name: string };
  /** At most `MAX_EXAMPLES` are taken. */
  ids?: readonly string[];
  clusters?: boolean;
}

export function searchComposed(
  query: ComposedQuery,
  limit: number,
  signal: AbortSignal | null = null,
): Promise<SearchAnswer> {
  const { text, file, ids = [], clusters = true } = query;
  const form = new FormData();
  if (text) {
    form.set('q', text);
    form.set('syntax', 'language');
  }
  if (file) form.set('file', file.blob, file.name);
  for (const id of ids.slice(0, MAX_EXAMPLES)) form.append('id', id);
  form.set('limit', String(limit));
  form.set('clusters', String(clusters));
  return dataOf(client.POST('/api/v1/search', { body: {}, bodySerializer: () => form, signal }));
}

export function getModels(): Promise<Models> {
  return dataOf(client.GET('/api/v1/models'));
}
