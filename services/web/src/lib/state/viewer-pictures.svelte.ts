import type { Picture } from '../api/types';

/** The pictures that a page shows in an order, so that the larger view can go on through them; null for no such page. */
class ViewerPictures {
  pictures = $state.raw<readonly Picture[] | null>(null);
}

export const viewerPictures = new ViewerPictures();
