import type { Picture } from './api/types';

/** The narrowest and the widest tile of a row, as width over height. */
export interface Shapes {
  narrowest: number;
  widest: number;
}

export const GRID_SHAPES: Shapes = { narrowest: 0.56, widest: 2.4 };
/** The five best are of more even width, so that their row is tall whatever their shapes are. */
export const BEST_SHAPES: Shapes = { narrowest: 0.64, widest: 1.34 };

/** Up to this share of a side may be cut off to fill a tile; beyond it the picture is shown whole. */
const MOST_CUT = 0.26;
/** Those of libs/pictures/sightline_pictures/thumbnails.py; a test compares. */
const THUMBNAIL_SIDE = 384;
const PREVIEW_SIDE = 1600;

type Sized = Pick<Picture, 'width' | 'height'>;

/** Width over height of a picture's tile; a picture whose size is unknown gets a square. */
export function tileAspect({ width, height }: Sized, shapes: Shapes): number {
  if (!width || !height) return 1;
  return Math.min(shapes.widest, Math.max(shapes.narrowest, width / height));
}

/** Whether the picture fills its tile: it has the tile's shape, or nearly. */
export function fillsTile(picture: Sized, shapes: Shapes): boolean {
  const { width, height } = picture;
  if (!width || !height) return false;
  const ratio = width / height / tileAspect(picture, shapes);
  return Math.min(ratio, 1 / ratio) >= 1 - MOST_CUT;
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
