import type { Picture } from './api/types';

const NARROWEST = 0.56;
const WIDEST = 2.2;
const THUMBNAIL_SIDE = 384;
const PREVIEW_SIDE = 1600;

type Sized = Pick<Picture, 'width' | 'height'>;

/**
 * Width over height of a picture's tile. Very long and very tall pictures get a tile of bounded shape, in which
 * they are shown whole; a picture whose size is unknown gets a square.
 */
export function tileAspect(picture: Sized): number {
  const { width, height } = picture;
  if (!width || !height) return 1;
  return Math.min(WIDEST, Math.max(NARROWEST, width / height));
}

/** Whether the tile has the picture's own shape, so that nothing is left over around it. */
export function fillsTile(picture: Sized): boolean {
  const { width, height } = picture;
  if (!width || !height) return false;
  return tileAspect(picture) === width / height;
}

function scaledWidth(picture: Sized, side: number): number {
  const { width, height } = picture;
  if (!width || !height) return side;
  return Math.max(1, Math.round(width * Math.min(1, side / Math.max(width, height))));
}

/** The `srcset` of a picture: its thumbnail, and its preview where that is any larger. */
export function sources(picture: Sized & Pick<Picture, 'thumbnail_url' | 'preview_url'>): string {
  const small = scaledWidth(picture, THUMBNAIL_SIDE);
  const large = scaledWidth(picture, PREVIEW_SIDE);
  const thumbnail = `${picture.thumbnail_url} ${small}w`;
  return large > small ? `${thumbnail}, ${picture.preview_url} ${large}w` : thumbnail;
}
