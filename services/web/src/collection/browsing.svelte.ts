import { browseImages, type ImageFilter } from '../lib/api/images';
import { ApiError } from '../lib/api/errors';
import type { Picture } from '../lib/api/types';
import { search } from '../lib/state/search.svelte';

const PAGE = 100;

/** The pictures of a filter, page by page. */
export class Browsing {
  pictures = $state.raw<Picture[]>([]);
  cursor = $state.raw<string | null>(null);
  loaded = $state(false);
  loading = $state(false);
  error = $state.raw<ApiError | null>(null);
  /** Whether the last page that was asked for did not arrive. */
  moreFailed = $state(false);

  #filter: ImageFilter | null = null;
  #running: AbortController | null = null;

  async load(filter: ImageFilter): Promise<void> {
    this.#filter = filter;
    await this.#ask(filter, null);
  }

  async more(): Promise<void> {
    if (this.loading || this.cursor === null || !this.#filter) return;
    await this.#ask(this.#filter, this.cursor);
  }

  async again(): Promise<void> {
    if (this.#filter) await this.#ask(this.#filter, null);
  }

  remove(ids: ReadonlySet<string>): void {
    this.pictures = this.pictures.filter((picture) => !ids.has(picture.id));
  }

  async #ask(filter: ImageFilter, cursor: string | null): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.loading = true;
    this.moreFailed = false;
    try {
      const page = await browseImages(
        { ...filter, limit: PAGE, ...(cursor ? { cursor } : {}) },
        running.signal,
      );
      if (running.signal.aborted) return;
      const before = cursor === null ? [] : this.pictures;
      const known = new Set(before.map((picture) => picture.id));
      this.pictures = [...before, ...page.images.filter((picture) => !known.has(picture.id))];
      this.cursor = page.cursor;
      this.error = null;
      this.loaded = true;
      search.remember(page.images);
    } catch (error) {
      if (running.signal.aborted) return;
      if (cursor === null) this.error = error instanceof ApiError ? error : new ApiError(500, {});
      else this.moreFailed = true;
    } finally {
      if (this.#running === running) this.loading = false;
    }
  }
}
