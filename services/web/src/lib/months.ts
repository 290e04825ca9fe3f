import type { Picture } from './api/types';

type Dated = Pick<Picture, 'taken_at' | 'modified_at'>;

interface Month<T> {
  /** `2024-05`; empty where no date is known. */
  key: string;
  /** "May 2024". */
  name: string;
  pictures: T[];
}

const names = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric' });

/** When a picture is from: taken, or else changed. */
export function dateOf(picture: Dated): Date | null {
  const date = new Date(picture.taken_at ?? picture.modified_at ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** Pictures in their order, put together by month. */
export function byMonth<T extends Dated>(pictures: readonly T[]): Month<T>[] {
  const months: Month<T>[] = [];
  for (const picture of pictures) {
    const date = dateOf(picture);
    const key = date ? `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}` : '';
    const last = months.at(-1);
    if (last?.key === key) last.pictures.push(picture);
    else months.push({ key, name: date ? names.format(date) : 'No date', pictures: [picture] });
  }
  return months;
}
