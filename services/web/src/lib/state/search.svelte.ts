import { ApiError } from '../api/errors';
import { getImage } from '../api/images';
import { searchByText, searchComposed, searchSimilar } from '../api/search';
import type { Picture, SearchAnswer } from '../api/types';
import { queryKey, type Query } from './address';
import { RecentCache } from './cache';
import { findQueryImage } from './query-images';

/** The page's own problem: a search by a picture that another browser gave. */
const NOT_ON_THIS_DEVICE = 'urn:sightline:problem:not-on-this-device';

export const BEST = 5;
const LIMIT = 50;
const SLOW_AFTER_MS = 4000;

/** What the search bar shows beside the text: the picture that is searched by. */
export interface Source {
  name: string;
  url: string | null;
  picture: Picture | null;
}

/**
 * One search at a time. The answer of the search before stays in `answer` while the next one is on its way
 * (`loading`), so that the page dims and does not jump.
 */
class Search {
  query = $state.raw<Query>({ kind: 'none' });
  answer = $state.raw<SearchAnswer | null>(null);
  error = $state.raw<ApiError | null>(null);
  source = $state.raw<Source | null>(null);
  loading = $state(false);
  /** Set when an answer takes longer than people wait without being told. */
  slow = $state(false);

  readonly #answers = new RecentCache<SearchAnswer>(24);
  readonly #known = new RecentCache<Picture>(600);
  #running: AbortController | null = null;
  #slowTimer: ReturnType<typeof setTimeout> | undefined;

  /** `remembered` takes an answer that is known already: Back and Forward must find their pages as they were. */
  run(query: Query, remembered: boolean): void {
    this.#running?.abort();
    this.#running = null;
    this.#clearSlow();
    const key = queryKey(query);
    const changed = key !== queryKey(this.query);
    this.query = query;
    // On a retry, the page goes on showing the error until there is an answer.
    if (changed) this.error = null;
    if (changed) this.#setSource(null);
    if (query.kind === 'none') {
      this.answer = null;
      this.error = null;
      this.loading = false;
      return;
    }
    const running = new AbortController();
    this.#running = running;
    void this.#findSource(query, running.signal);
    const known = remembered ? this.#answers.get(key) : undefined;
    if (known) {
      this.answer = known;
      this.error = null;
      this.loading = false;
      return;
    }
    this.loading = true;
    this.#slowTimer = setTimeout(() => (this.slow = true), SLOW_AFTER_MS);
    void this.#ask(query, key, running.signal);
  }

  again(): void {
    this.run(this.query, false);
  }

  /** A picture that some answer has shown; null where none has. */
  known(id: string): Picture | null {
    return this.#known.get(id) ?? null;
  }

  /** Pictures seen elsewhere on the page, so that a search by one of them knows its name at once. */
  remember(pictures: readonly Picture[]): void {
    for (const picture of pictures) this.#known.set(picture.id, picture);
  }

  async #ask(query: Query, key: string, signal: AbortSignal): Promise<void> {
    try {
      const answer = await this.#answer(query, signal);
      if (signal.aborted) return;
      this.remember([...answer.results, ...(answer.named?.results ?? [])]);
      this.#answers.set(key, answer);
      this.answer = answer;
      this.error = null;
      this.loading = false;
      this.#clearSlow();
    } catch (error) {
      if (signal.aborted) return;
      this.answer = null;
      this.error = error instanceof ApiError ? error : new ApiError(500, { detail: String(error) });
      this.loading = false;
      this.#clearSlow();
    }
  }

  #clearSlow(): void {
    clearTimeout(this.#slowTimer);
    this.slow = false;
  }

  async #answer(query: Query, signal: AbortSignal): Promise<SearchAnswer> {
    switch (query.kind) {
      case 'like':
        return query.text
          ? searchComposed({ ids: [query.id], text: query.text }, LIMIT, signal)
          : searchSimilar(query.id, LIMIT, signal);
      case 'picture': {
        const image = await findQueryImage(query.key);
        if (!image) {
          throw new ApiError(404, { type: NOT_ON_THIS_DEVICE });
        }
        return searchComposed({ file: image, text: query.text }, LIMIT, signal);
      }
      case 'text':
        return searchByText(query.text, LIMIT, signal);
      case 'none':
        throw new TypeError('there is nothing to search for');
    }
  }

  #setSource(source: Source | null): void {
    if (this.source?.url?.startsWith('blob:')) URL.revokeObjectURL(this.source.url);
    this.source = source;
  }

  async #findSource(query: Query, signal: AbortSignal): Promise<void> {
    if (this.source) return;
    if (query.kind === 'like') {
      let picture = this.known(query.id);
      if (picture) {
        this.#setSource({ name: picture.name, url: picture.thumbnail_url, picture });
        return;
      }
      try {
        picture = await getImage(query.id, signal);
        if (signal.aborted) return;
        this.remember([picture]);
        this.#setSource({ name: picture.name, url: picture.thumbnail_url, picture });
      } catch {
        if (!signal.aborted) this.#setSource({ name: 'a picture', url: null, picture: null });
      }
    } else if (query.kind === 'picture') {
      const image = await findQueryImage(query.key);
      if (signal.aborted) return;
      this.#setSource({
        name: image?.name ?? 'a picture',
        url: image ? URL.createObjectURL(image.blob) : null,
        picture: null,
      });
    }
  }
}

export const search = new Search();
