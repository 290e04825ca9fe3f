import type { Picture } from './api/types';
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
      return dateOf(picture);
    case 'size':
      return picture.width && picture.height ? picture.width * picture.height : null;
    case 'camera':
      return picture.camera;
  }
}

/** When it was taken, or where that is not known when its file changed. */
export function dateOf(picture: Picture): string | null {
  return picture.taken_at ?? picture.modified_at;
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
