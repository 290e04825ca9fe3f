import { arrowTarget } from '../keyboard';
import { router } from './router.svelte';

/**
 * One stop of the Tab key for all tiles of a view; arrow keys, Home and End move among them, Space shows one large.
 * Enter is the tile's own link.
 */
export class TileFocus {
  active = $state<string | null>(null);

  /** The tile that Tab reaches: the one last focused, else the first. */
  stop(ids: readonly string[]): string | undefined {
    return this.active !== null && ids.includes(this.active) ? this.active : ids[0];
  }

  readonly focusin = (event: FocusEvent): void => {
    const tile = tileOf(event.target);
    if (tile) this.active = tile.dataset.tile ?? null;
  };

  readonly keydown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const tile = tileOf(event.target);
    const id = tile?.dataset.tile;
    if (!tile || !id) return;
    if (event.key === ' ') {
      event.preventDefault();
      router.view(id);
      return;
    }
    const container = event.currentTarget as HTMLElement;
    const tiles = Array.from(container.querySelectorAll<HTMLElement>('[data-tile]'));
    const boxes = tiles.map((each) => each.getBoundingClientRect());
    const target = arrowTarget(boxes, tiles.indexOf(tile), event.key);
    if (target === null) return;
    event.preventDefault();
    tiles[target]?.focus();
  };
}

function tileOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof HTMLElement ? target.closest<HTMLElement>('[data-tile]') : null;
}
