import { getModels } from '../api/search';

/** Which model's vectors the collection is made of; asked for once, when it is first shown. */
class ServedModel {
  model = $state<string | null>(null);
  #asked = false;

  ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    getModels().then(
      ({ collection }) => (this.model = collection?.model_id ?? null),
      // The details are whole without it; the next picture asks again.
      () => (this.#asked = false),
    );
  }
}

export const servedModel = new ServedModel();
