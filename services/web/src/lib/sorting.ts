import type { Picture } from './api/types';
import { dateOf } from './dates';
import type { Column, Sort } from './state/address';

const text = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** What a column sorts by; null sorts last, whichever way. */
function keyOf(picture: Picture, column: Column): string | number | null {
  switch (column) {
    case 'name':
      return picture.name;
    case 'label':
      return picture.label;
    case 'similarity':
      return picture.similarity ?? null;
    case 'date':
      return dateOf(picture)?.getTime() ?? null;
    case 'size':
      return picture.width && picture.height ? picture.width * picture.height : null;
    case 'camera':
      return picture.camera;
  }
}

/** The pictures in an order; equal ones, and all without a sort, stay in that of the ranking. */
export function sorted(pictures: readonly Picture[], sort: Sort | null): readonly Picture[] {
  if (!sort) return pictures;
  const { column, descending } = sort;
  return [...pictures].sort((a, b) => {
    const [one, other] = [keyOf(a, column), keyOf(b, column)];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    const order =
      typeof one === 'number' && typeof other === 'number'
        ? one - other
        : text.compare(String(one), String(other));
    return descending ? -order : order;
  });
}

/** The sort after a click on a column's head: a way, the other way, the ranking. */
export function nextSort(sort: Sort | null, column: Column): Sort | null {
  // Figures and dates are looked through from the top, words from A.
  const first = column === 'similarity' || column === 'date' || column === 'size';
  if (sort?.column !== column) return { column, descending: first };
  return sort.descending === first ? { column, descending: !first } : null;
}
