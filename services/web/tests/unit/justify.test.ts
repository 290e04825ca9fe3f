import { describe, expect, it } from 'vitest';
import { justify } from '../../src/lib/justify';

/** Rows of widths, told apart by adding up. */
function rows(widths: number[], width: number, gap: number): number[][] {
  const found: number[][] = [[]];
  let used = 0;
  for (const each of widths) {
    const row = found.at(-1) ?? [];
    if (row.length > 0 && used + gap + each > width + 0.01) {
      found.push([each]);
      used = each;
    } else {
      row.push(each);
      used += (row.length > 1 ? gap : 0) + each;
    }
  }
  return found;
}

const aspects = Array.from({ length: 60 }, (_, n) => 0.56 + ((n * 37) % 19) / 10.33);

describe('justified rows', () => {
  it.each([320, 390, 768, 1360, 1900])('fill %d pixels from edge to edge, each with one height', (width) => {
    const widths = justify(aspects, width, 150, 8);
    expect(widths).toHaveLength(aspects.length);
    let at = 0;
    const found = rows(widths, width, 8);
    for (const [index, row] of found.entries()) {
      const heights = row.map((each, n) => each / (aspects[at + n] ?? 1));
      for (const height of heights) expect(height).toBeCloseTo(heights[0] ?? 0, 6);
      if (index < found.length - 1) {
        const used = row.reduce((sum, each) => sum + each, 0) + 8 * (row.length - 1);
        expect(used).toBeCloseTo(width, 6);
      }
      at += row.length;
    }
  });

  it('never let a lone narrow tile tower over the page', () => {
    const widths = justify([0.66, 2.4, 2.4, 0.56, 2.4], 280, 108, 6);
    expect(widths[0]).toBeLessThan(108);
  });

  it('do not stretch the last row', () => {
    expect(justify([1], 1000, 150, 8)).toEqual([150]);
  });

  it('keep their place when more follow', () => {
    const before = justify(aspects.slice(0, 40), 1360, 150, 8);
    const after = justify(aspects, 1360, 150, 8);
    expect(after.slice(0, 30)).toEqual(before.slice(0, 30));
  });

  it('bear a page without width, and no tiles', () => {
    expect(justify([], 1000, 150, 8)).toEqual([]);
    expect(justify([1, 1], 0, 150, 8).every((each) => each > 0)).toBe(true);
  });
});
