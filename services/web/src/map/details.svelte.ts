import { SvelteMap } from 'svelte/reactivity';
import { getImage } from '../lib/api/images';
import type { Picture } from '../lib/api/types';
import { search } from '../lib/state/search.svelte';

const AT_ONCE = 4;

/** What is known of the map's pictures beyond their points, asked for one by one when somebody looks. */
class Details {
  readonly #known = new SvelteMap<string, Picture>();
  readonly #asked = new Set<string>();
  #waiting: string[] = [];
  #running = 0;

  /** Null while it is not known. */
  of(id: string): Picture | null {
    return this.#known.get(id) ?? null;
  }

  /** Loads pictures, before those that were asked for earlier: what is pointed at now comes first. */
  ask(ids: readonly string[]): void {
    const fresh = ids.filter((id) => !this.#asked.has(id));
    for (const id of fresh) this.#asked.add(id);
    this.#waiting = [...fresh, ...this.#waiting];
    this.#pump();
  }

  take(pictures: readonly Picture[]): void {
    for (const each of pictures) {
      this.#asked.add(each.id);
      this.#known.set(each.id, each);
    }
    search.remember(pictures);
  }

  #pump(): void {
    while (this.#running < AT_ONCE) {
      const id = this.#waiting.shift();
      if (id === undefined) return;
      this.#running += 1;
      getImage(id)
        .then(
          (found) => this.take([found]),
          () => this.#asked.delete(id),
        )
        .finally(() => {
          this.#running -= 1;
          this.#pump();
        });
    }
  }
}

export const details = new Details();
