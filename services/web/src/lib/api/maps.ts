import type { MapAnswer, MapRequest, MapSummary } from '../../map/types';
import { client, dataOf, deleted } from './client';
import { postForm, type UploadOptions } from './upload';

export function makeMap(request: MapRequest): Promise<MapAnswer> {
  return dataOf(client.POST('/api/v1/maps', { body: request }));
}

/** A map with its points; where `since` is the version of those that are known, with what changed of them. */
export function getMap(id: string, since?: number): Promise<MapAnswer> {
  const params = { path: { map_id: id }, query: since === undefined ? {} : { since } };
  return dataOf(client.GET('/api/v1/maps/{map_id}', { params }));
}

export async function getMaps(): Promise<MapSummary[]> {
  return (await dataOf(client.GET('/api/v1/maps'))).maps;
}

/** Cancels a map that is being made; forgets one that is there. */
export function deleteMap(id: string): Promise<void> {
  return deleted(client.DELETE('/api/v1/maps/{map_id}', { params: { path: { map_id: id } } }));
}

export interface LabelledFile {
  file: File;
  /** Where it lay: `cats/1.jpg`; its folder is its label. */
  path: string;
}

/** Sends pictures for a map of their own; they do not become part of the collection. */
export function makeMapOfUploads(
  files: readonly LabelledFile[],
  layout: { sample: number; perplexity: number },
  options: UploadOptions = {},
): Promise<MapAnswer> {
  const form = new FormData();
  for (const { file, path } of files) form.append('files', file, path);
  form.set('sample', String(layout.sample));
  form.set('perplexity', String(layout.perplexity));
  return postForm('/api/v1/maps/uploads', form, options);
}
