import type { ColorScheme } from '../lib/color-scheme';

/**
 * Ten colours for each theme, found by a search for those that lie farthest apart in OKLab as most people see them and as
 * people with each of the three kinds of colour blindness do, and from the grey of the rest; each stands out from the page
 * by at least 2.4 to 1. More than ten cannot be told apart, so what comes after them is grey.
 */
export const LIGHT: readonly string[] = [
  '#5978fd',
  '#b7875f',
  '#17726d',
  '#ca358b',
  '#900e26',
  '#02a9f7',
  '#667815',
  '#975ac0',
  '#412db5',
  '#603e68',
];
export const DARK: readonly string[] = [
  '#60ecf3',
  '#c9983f',
  '#ea55a6',
  '#8487f5',
  '#269364',
  '#c4e621',
  '#cc2a1b',
  '#f7b4a9',
  '#a23db8',
  '#a6b9ef',
];
export const REST = { light: '#9aa39e', dark: '#5c6761' } as const;
export type Colouring = 'label' | 'cluster';

/** A row of the legend: one label or cluster. */
export interface Category {
  /** Its number in the map; -1 for what has none. */
  id: number;
  name: string;
  count: number;
  /** The number of its colour; null for the grey of the rest. */
  colour: number | null;
}

/** The categories of a map, the most frequent first; the first ten get colours, whatever has no name gets none. */
export function categories(values: readonly number[], names: ReadonlyMap<number, string>): Category[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const found = [...counts].sort(([a, m], [b, n]) => Number(b >= 0) - Number(a >= 0) || n - m || a - b);
  return found.map(([id, count], place) => ({
    id,
    name: names.get(id) ?? 'None',
    count,
    colour: id >= 0 && place < LIGHT.length ? place : null,
  }));
}

export function colourOf(category: Pick<Category, 'colour'>, scheme: ColorScheme): string {
  const palette = scheme === 'dark' ? DARK : LIGHT;
  return (category.colour === null ? undefined : palette[category.colour]) ?? REST[scheme];
}

export function rgb(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

const SHOWN = 235;
/** The grey of the rest stays behind the colours. */
const BEHIND = { light: 130, dark: 205 } as const;
const FADED = 38;

/**
 * A colour for each point, as red, green, blue and alpha from 0 to 255. Hidden categories are transparent; where some
 * points are selected, the others fade.
 */
export function paint(
  values: readonly number[],
  legend: readonly Category[],
  hidden: ReadonlySet<number>,
  selected: ReadonlySet<number> | null,
  scheme: ColorScheme,
): Uint8Array {
  const colours = new Map(
    legend.map((category) => [
      category.id,
      [...rgb(colourOf(category, scheme)), category.colour === null ? BEHIND[scheme] : SHOWN] as const,
    ]),
  );
  const painted = new Uint8Array(values.length * 4);
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? -1;
    if (hidden.has(value)) continue;
    const [red, green, blue, alpha] = colours.get(value) ?? [...rgb(REST[scheme]), BEHIND[scheme]];
    painted[index * 4] = red;
    painted[index * 4 + 1] = green;
    painted[index * 4 + 2] = blue;
    painted[index * 4 + 3] = selected && !selected.has(index) ? FADED : alpha;
  }
  return painted;
}
