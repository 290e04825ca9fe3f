import { client, dataOf, deleted } from './client';
import type { operations } from './schema';
import type { PictureDetails, PicturePage, Stats } from './types';

export type ImageFilter = NonNullable<operations['browseImages']['parameters']['query']>;

/** A page of the collection, the newest first: by when it was taken, else modified. */
export function browseImages(filter: ImageFilter, signal: AbortSignal | null = null): Promise<PicturePage> {
  return dataOf(client.GET('/api/v1/images', { params: { query: filter }, signal }));
}

export function getImage(id: string, signal: AbortSignal | null = null): Promise<PictureDetails> {
  return dataOf(client.GET('/api/v1/images/{image_id}', { params: { path: { image_id: id } }, signal }));
}

/** Takes a picture out of the bucket and the collection. */
export function deleteImage(id: string): Promise<void> {
  return deleted(client.DELETE('/api/v1/images/{image_id}', { params: { path: { image_id: id } } }));
}

export function getStats(): Promise<Stats> {
  return dataOf(client.GET('/api/v1/stats'));
}
