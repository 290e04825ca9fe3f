import { expect, test } from 'vitest';
import { ALL, filterOf, formatView, parseView } from '../../src/collection/address';
import { byMonth } from '../../src/lib/months';

const of = (taken_at: string | null, modified_at = '2026-01-15T12:00:00Z') => ({ taken_at, modified_at });

test('pictures stand under their months, in the order in which they came', () => {
  const pictures = [
    of(null),
    of('2024-05-20T10:00:00'),
    of('2024-05-02T10:00:00'),
    of('2019-08-14T10:00:00'),
  ];
  const months = byMonth(pictures);
  expect(months.map(({ name, pictures: inside }) => [name, inside.length])).toEqual([
    ['January 2026', 1],
    ['May 2024', 2],
    ['August 2019', 1],
  ]);
  expect(byMonth([{ taken_at: 'nonsense', modified_at: 'nonsense' }])[0]?.name).toBe('No date');
  expect(byMonth([])).toEqual([]);
});

test('the address holds label and dates', () => {
  const view = { label: 'hot_air', from: '2024-05-01', to: '', copies: null };
  expect(parseView(formatView(view))).toEqual(view);
  expect(parseView({ from: 'yesterday', label: '' })).toEqual(ALL);
  const { before } = filterOf({ ...ALL, to: '2024-12-31' });
  expect(before).toBe('2025-01-01');
});
