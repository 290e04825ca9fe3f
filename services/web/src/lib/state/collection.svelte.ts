import { ApiError } from '../api/errors';
import { browseImages, getStats } from '../api/images';
import type { Picture } from '../api/types';
import { suggestions, type Suggestion } from '../suggestions';
import { search } from './search.svelte';

const PAGE = 60;
const SUGGESTED = 8;

interface Example extends Suggestion {
  thumbnail: string | null;
}

/** The collection as the start view browses it: pages of indexed pictures, and queries to try. */
class Collection {
  pictures = $state.raw<Picture[]>([]);
  cursor = $state.raw<string | null>(null);
  examples = $state.raw<Example[]>([]);
  loaded = $state(false);
  loading = $state(false);
  error = $state.raw<ApiError | null>(null);
  /** How many were indexed when the first page was read. */
  indexedThen = $state<number | null>(null);

  async load(indexedNow: number | null): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    try {
      const page = await browseImages({ state: ['indexed'], distinct: true, limit: PAGE });
      this.#show(page.images);
      this.cursor = page.cursor;
      this.error = null;
      this.loaded = true;
      this.indexedThen = indexedNow;
      void this.#loadExamples();
    } catch (error) {
      this.error = error instanceof ApiError ? error : new ApiError(500, { detail: String(error) });
    } finally {
      this.loading = false;
    }
  }

  async more(): Promise<void> {
    if (this.loading || this.cursor === null) return;
    this.loading = true;
    try {
      const page = await browseImages({
        state: ['indexed'],
        distinct: true,
        limit: PAGE,
        cursor: this.cursor,
      });
      const known = new Set(this.pictures.map((picture) => picture.id));
      this.#show([...this.pictures, ...page.images.filter((picture) => !known.has(picture.id))]);
      this.cursor = page.cursor;
    } catch {
      // The button to go on stays, and asks again.
    } finally {
      this.loading = false;
    }
  }

  #show(pictures: Picture[]): void {
    this.pictures = pictures;
    search.remember(pictures);
  }

  /** Labels as queries, each with one of its pictures; the start view is whole without them. */
  async #loadExamples(): Promise<void> {
    try {
      const { labels } = await getStats();
      const found = suggestions(labels, SUGGESTED);
      this.examples = await Promise.all(
        found.map(async (suggestion) => {
          const page = await browseImages({ label: [suggestion.label], state: ['indexed'], limit: 1 }).catch(
            () => null,
          );
          return { ...suggestion, thumbnail: page?.images[0]?.thumbnail_url ?? null };
        }),
      );
    } catch {
      this.examples = [];
    }
  }
}

export const collection = new Collection();
