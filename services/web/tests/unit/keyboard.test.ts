import { describe, expect, it } from 'vitest';
import { arrowTarget, type Box } from '../../src/lib/keyboard';

// Two wide tiles above three narrow ones above one.
const boxes: Box[] = [
  { left: 0, top: 0, width: 150, height: 100 },
  { left: 150, top: 0, width: 150, height: 100 },
  { left: 0, top: 110, width: 100, height: 80 },
  { left: 100, top: 110, width: 100, height: 80 },
  { left: 200, top: 110, width: 100, height: 80 },
  { left: 0, top: 200, width: 80, height: 80 },
];

describe('arrow keys', () => {
  it.each<[number, string, number | null]>([
    [0, 'ArrowRight', 1],
    [1, 'ArrowRight', 2],
    [5, 'ArrowRight', null],
    [2, 'ArrowLeft', 1],
    [0, 'ArrowLeft', null],
    [1, 'ArrowDown', 4],
    [0, 'ArrowDown', 2],
    [4, 'ArrowDown', 5],
    [5, 'ArrowDown', null],
    [5, 'ArrowUp', 2],
    [4, 'ArrowUp', 1],
    [0, 'ArrowUp', null],
    [3, 'Home', 0],
    [3, 'End', 5],
    [0, 'Home', null],
    [3, 'a', null],
  ])('lead from tile %d by %s to %s', (from, key, to) => {
    expect(arrowTarget(boxes, from, key)).toBe(to);
  });

  it('lead nowhere without tiles', () => {
    expect(arrowTarget([], -1, 'ArrowRight')).toBeNull();
  });
});
