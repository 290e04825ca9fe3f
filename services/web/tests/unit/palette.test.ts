import { describe, expect, test } from 'vitest';
import { categories, colourOf, DARK, LIGHT, paint, REST, rgb } from '../../src/map/palette';

/** Linear red, green and blue as people with each kind of colour blindness see them (Machado et al. 2009). */
const SIGHTS: Record<string, number[][]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

type Triple = [number, number, number];

const linear = (hex: string): Triple =>
  rgb(hex).map((byte) =>
    byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4,
  ) as Triple;

const times = (matrix: number[][], [r, g, b]: Triple): Triple =>
  matrix.map((row) =>
    Math.min(1, Math.max(0, (row[0] ?? 0) * r + (row[1] ?? 0) * g + (row[2] ?? 0) * b)),
  ) as Triple;

/** OKLab (Ottosson 2020). */
function oklab([r, g, b]: Triple): Triple {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

const luminance = ([r, g, b]: Triple) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(linear(one)), luminance(linear(other))].sort((a, b) => a - b);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

describe.each([
  ['light', LIGHT, '#fbfcfb', REST.light],
  ['dark', DARK, '#0b0f0d', REST.dark],
] as const)('the colours on %s', (_, palette, ground, rest) => {
  test('stand out from the ground', () => {
    for (const colour of palette) expect(contrast(colour, ground)).toBeGreaterThan(2.3);
  });

  test.each(Object.keys(SIGHTS))('can be told from each other and from the rest with %s', (sight) => {
    const seen = [...palette, rest].map((colour) => oklab(times(SIGHTS[sight] ?? [], linear(colour))));
    const apart = seen.flatMap((one, at) =>
      seen.slice(at + 1).map((other) => Math.hypot(...one.map((value, axis) => value - (other[axis] ?? 0)))),
    );
    expect(Math.min(...apart)).toBeGreaterThan(sight === 'normal' ? 0.09 : 0.05);
  });
});

test('the ten most frequent have colours; the others, and what has no label, are grey', () => {
  const values = Array.from({ length: 12 }, (_, id) => Array<number>(20 - id).fill(id)).flat();
  const legend = categories([...values, ...Array<number>(50).fill(-1)], new Map([[0, 'cats']]));
  expect(legend[0]).toEqual({ id: 0, name: 'cats', count: 20, colour: 0 });
  expect(legend.filter(({ colour }) => colour !== null)).toHaveLength(10);
  expect(legend.at(-1)?.id).toBe(-1);
  expect(colourOf(legend.at(-1) ?? { colour: null }, 'dark')).toBe(REST.dark);
});

test('what is switched off is not drawn, and what is not selected fades', () => {
  const values = [0, 0, 1, 2];
  const legend = categories(values, new Map());
  const painted = paint(values, legend, new Set([1]), new Set([0]), 'light');
  const alphas = [3, 7, 11, 15].map((at) => painted[at]);
  expect(alphas[2]).toBe(0);
  expect(alphas[1]).toBeLessThan(60);
  expect(alphas[0]).toBeGreaterThan(200);
  expect([...painted.slice(0, 3)]).toEqual(rgb(LIGHT[0] ?? ''));
});
