import { describe, expect, it } from 'vitest';
import { CLUSTER_COLORS, BACKGROUND, WEAK_COLOR } from '../../src/graph/palette';
import { edgeLook, shareOf, spanOf } from '../../src/graph/edge-style';
import type { ColorScheme } from '../../src/lib/color-scheme';

type Triple = [number, number, number];

const linear = (hex: string): Triple =>
  [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as Triple;
const times = (matrix: readonly Triple[], vector: Triple): Triple =>
  matrix.map((row) => row.reduce((sum, value, at) => sum + value * (vector[at] ?? 0), 0)) as Triple;
const luminance = (hex: string) => times([[0.2126, 0.7152, 0.0722]], linear(hex))[0];

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Machado, Oliveira and Fernandes 2009, at full severity. */
const SIGHT: Record<string, Triple[]> = {
  'full colour': [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  'no red': [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  'no green': [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
};

function lab(rgb: Triple): Triple {
  const clipped = rgb.map((value) => Math.min(1, Math.max(0, value))) as Triple;
  const xyz = times(
    [
      [0.4124, 0.3576, 0.1805],
      [0.2126, 0.7152, 0.0722],
      [0.0193, 0.1192, 0.9505],
    ],
    clipped,
  );
  const white: Triple = [0.9505, 1, 1.089];
  const [x, y, z] = xyz.map((value, at) => {
    const ratio = value / (white[at] ?? 1);
    return ratio > 0.008856 ? Math.cbrt(ratio) : 7.787 * ratio + 16 / 116;
  }) as Triple;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

describe.each<ColorScheme>(['light', 'dark'])('in %s colours', (scheme) => {
  const colors = CLUSTER_COLORS[scheme];

  it.each(Object.entries(SIGHT))('any two clusters differ with %s', (_, matrix) => {
    const seen = colors.map((color) => lab(times(matrix, linear(color))));
    const closest = Math.min(
      ...seen.flatMap((one, index) =>
        seen.slice(index + 1).map((other) => Math.hypot(...one.map((value, at) => value - (other[at] ?? 0)))),
      ),
    );
    expect(closest).toBeGreaterThan(18);
  });

  it('clusters and edges stand out from the ground', () => {
    for (const color of [...colors, WEAK_COLOR[scheme]])
      expect(contrast(color, BACKGROUND[scheme])).toBeGreaterThanOrEqual(3);
    for (const similarity of [0, 0.25, 0.5, 0.75, 1]) {
      const { color } = edgeLook(similarity, { low: 0, high: 1 }, scheme);
      expect(contrast(color, BACKGROUND[scheme])).toBeGreaterThanOrEqual(3);
    }
  });

  it('edges are green, thicker and paler the more alike, thinner and more saturated the less', () => {
    const looks = [0, 0.25, 0.5, 0.75, 1].map((value) => edgeLook(value, { low: 0, high: 1 }, scheme));
    const saturation = (hex: string) => {
      const channels = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
      const [low, high] = [Math.min(...channels), Math.max(...channels)];
      expect(channels[1]).toBe(high);
      return (high - low) / high;
    };
    looks.slice(1).forEach((look, index) => {
      const before = looks[index] ?? look;
      expect(look.width).toBeGreaterThan(before.width);
      expect(saturation(look.color)).toBeLessThan(saturation(before.color));
      expect(luminance(look.color)).toBeGreaterThan(luminance(before.color));
    });
  });

  it('a faded edge is nearly the ground', () => {
    const { color } = edgeLook(0.5, { low: 0, high: 1 }, scheme, 0.1);
    expect(contrast(color, BACKGROUND[scheme])).toBeLessThan(1.5);
  });
});

describe('the span of similarities', () => {
  it('runs from the lowest to the highest', () => {
    expect(spanOf([0.4, 0.2, 0.9])).toEqual({ low: 0.2, high: 0.9 });
    expect(shareOf(0.55, { low: 0.2, high: 0.9 })).toBeCloseTo(0.5);
  });

  it('divides also where all are equal, or none is there', () => {
    expect(shareOf(0.5, spanOf([0.5, 0.5]))).toBeCloseTo(0.5);
    expect(shareOf(0.5, spanOf([]))).toBeCloseTo(0.5);
  });
});
