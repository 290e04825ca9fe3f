import { describe, expect, it } from 'vitest';
import type { Picture } from '../../src/lib/api/types';
import { nextSort, sorted } from '../../src/lib/sorting';
import type { Column } from '../../src/lib/state/address';
import { makeCollection } from '../fixture/pictures.mjs';

const [base] = makeCollection(1) as [Picture];
const PICTURES: Picture[] = [
  { ...base, name: 'b10.jpg', label: 'cat', similarity: 0.9, width: 10, height: 10, camera: null },
  { ...base, name: 'b9.jpg', label: null, similarity: 0.8, width: 30, height: 30, camera: 'Nikon' },
  { ...base, name: 'A1.jpg', label: 'ant', similarity: 0.7, width: 20, height: 20, camera: 'Canon' },
].map((picture, at) => ({
  ...picture,
  taken_at: at === 1 ? '2020-01-01T00:00:00' : `202${at + 1}-01-01T00:00:00`,
}));

const names = (pictures: readonly Picture[]) => pictures.map(({ name }) => name);

describe('the table', () => {
  it.each<[Column, boolean, string[]]>([
    ['name', false, ['A1.jpg', 'b9.jpg', 'b10.jpg']],
    ['label', false, ['A1.jpg', 'b10.jpg', 'b9.jpg']],
    ['label', true, ['b10.jpg', 'A1.jpg', 'b9.jpg']],
    ['similarity', false, ['A1.jpg', 'b9.jpg', 'b10.jpg']],
    ['date', true, ['A1.jpg', 'b10.jpg', 'b9.jpg']],
    ['size', true, ['b9.jpg', 'A1.jpg', 'b10.jpg']],
    ['camera', false, ['A1.jpg', 'b9.jpg', 'b10.jpg']],
  ])('sorts by %s (descending: %s), with what is not known last', (column, descending, expected) => {
    expect(names(sorted(PICTURES, { column, descending }))).toEqual(expected);
  });

  it('without a sort follows the ranking', () => {
    expect(sorted(PICTURES, null)).toBe(PICTURES);
  });

  it('goes from one way to the other to the ranking', () => {
    const first = nextSort(null, 'date');
    expect(first).toEqual({ column: 'date', descending: true });
    expect(nextSort(first, 'date')).toEqual({ column: 'date', descending: false });
    expect(nextSort({ column: 'date', descending: false }, 'date')).toBeNull();
    expect(nextSort(first, 'name')).toEqual({ column: 'name', descending: false });
  });
});
