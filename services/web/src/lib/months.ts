import { dateOf, type Dated } from './dates';

interface Month<T> {
  /** `2024-05`; empty where no date is known. */
  key: string;
  /** "May 2024". */
  name: string;
  pictures: T[];
}

const names = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' });

/** Pictures in their order, put together by month. */
export function byMonth<T extends Dated>(pictures: readonly T[]): Month<T>[] {
  const months: Month<T>[] = [];
  for (const picture of pictures) {
    const date = dateOf(picture);
    const key = date ? date.toISOString().slice(0, -17) : '';
    const last = months.at(-1);
    if (last?.key === key) last.pictures.push(picture);
    else months.push({ key, name: date ? names.format(date) : 'No date', pictures: [picture] });
  }
  return months;
}
