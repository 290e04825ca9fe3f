import { words } from '../lib/format';
import { theme } from '../lib/state/theme.svelte';
import { details } from './details.svelte';
import { categories, colourOf, paint, type Category, type Colouring } from './palette';
import { unfinished } from './session.svelte';
import { NO_POINTS } from './points';
import type { Confusion, MapState } from './types';
import { mapTitle } from './texts';

/** Of more labels than this most would be grey, so that clusters tell more, if there are more than a few. */
const MANY = 20;
const FEW = 4;

/** A map as somebody looks at it: coloured, with some of it switched off and some of it selected. */
export class MapViewModel {
  readonly #map: () => MapState;
  /** What the person chose to colour by; null where that is left to the map. */
  chosen = $state<Colouring | null>(null);
  hidden = $state.raw<ReadonlySet<number>>(new Set());
  selected = $state.raw<readonly number[] | null>(null);

  constructor(map: () => MapState, chosen: Colouring | null, off: readonly number[]) {
    this.#map = map;
    this.chosen = chosen;
    this.hidden = new Set(off);
  }

  readonly map = $derived.by(() => this.#map());
  readonly points = $derived(this.map.points ?? NO_POINTS);
  readonly unfinished = $derived(unfinished(this.map));
  readonly title = $derived(mapTitle(this.map));
  /** Whether the pictures are not those of the collection. */
  readonly uploaded = $derived(this.map.request.upload);
  /** Whether there are labels and clusters to choose between. */
  readonly both = $derived(this.map.labels.length > 0 && this.map.clusters.length > 0);

  readonly colouring = $derived.by<Colouring>(() => {
    const { labels, clusters } = this.map;
    if (clusters.length === 0) return 'label';
    const telling = labels.length > 1 && (labels.length <= MANY || clusters.length < FEW);
    return this.chosen ?? (telling ? 'label' : 'cluster');
  });
  readonly values = $derived(this.colouring === 'label' ? this.points.label : this.points.cluster);
  readonly legend = $derived.by<Category[]>(() => {
    const names =
      this.colouring === 'label'
        ? this.map.labels.map((label, number): [number, string] => [number, words(label)])
        : this.map.clusters.map(({ id, name }): [number, string] => [id, name]);
    return categories(this.values, new Map(names));
  });
  readonly colors = $derived(
    paint(this.values, this.legend, this.hidden, this.selected ? new Set(this.selected) : null, theme.scheme),
  );
  readonly shown = $derived.by(() => {
    const { values, hidden } = this;
    return (index: number) => !hidden.has(values[index] ?? -1);
  });
  readonly #tints = $derived(
    new Map(this.legend.map((category) => [category.id, colourOf(category, theme.scheme)])),
  );

  readonly thumbnail = (index: number): string =>
    this.map.thumbnails
      .replace('{id}', encodeURIComponent(this.idOf(index)))
      .replace('{index}', String(index));

  readonly tint = (index: number): string => this.#tints.get(this.values[index] ?? -1) ?? '';

  idOf(index: number): string {
    return this.points.ids[index] ?? '';
  }

  /** Empty while it is not known. */
  readonly nameOf = (index: number): string => {
    const id = this.idOf(index);
    return this.uploaded ? (id.split('/').at(-1) ?? id) : (details.of(id)?.name ?? '');
  };

  readonly labelOf = (index: number): string => {
    const label = this.map.labels[this.points.label[index] ?? -1];
    const cluster = this.map.clusters.find(({ id }) => id === this.points.cluster[index])?.name;
    const parts = [label === undefined ? '' : words(label), cluster && `among ${cluster}`];
    return parts.filter(Boolean).join(', ') || 'no label';
  };

  /** Asks for the names of pictures. */
  readonly look = (indices: readonly number[]): void => {
    if (!this.uploaded) details.ask(indices.map((index) => this.idOf(index)));
  };

  within(low: { x: number; y: number }, high: { x: number; y: number }): number[] {
    const { x, y } = this.points;
    return [...x.keys()].filter((index) => {
      const across = x[index] ?? NaN;
      const up = y[index] ?? NaN;
      return across >= low.x && across <= high.x && up >= low.y && up <= high.y && this.shown(index);
    });
  }

  pair({ a, b }: Confusion): number[] {
    const wanted = new Set([this.map.labels.indexOf(a), this.map.labels.indexOf(b)]);
    return [...this.points.label.keys()].filter((index) => wanted.has(this.points.label[index] ?? -1));
  }
}
