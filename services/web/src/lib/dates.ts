import type { Picture } from './api/types';

/**
 * A picture's time is what the clock on the wall showed where it was taken, in whatever zone this browser is. Dates here
 * hold such a time as if it were in UTC, and are read and written in UTC alone.
 */
export type Dated = Pick<Picture, 'taken_at' | 'modified_at'>;

/** The gateway's sort disregards a file's time that is so far ahead, in milliseconds. */
const LEAD = 12 * 3_600_000;
const SECONDS = /:\d{2}(\.\d+)?$/;
const days = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' });
const daysWithTime = new Intl.DateTimeFormat('en', {
  dateStyle: 'long',
  timeStyle: 'short',
  hourCycle: 'h23',
  timeZone: 'UTC',
});

/** A wall time of the gateway, such as `2008-08-08T23:30:00`; null where it is none. */
export function wallTime(value: string | null | undefined): Date | null {
  const date = new Date(value && SECONDS.test(value) ? `${value}Z` : Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** When a picture is from: taken, or else modified, if that has passed. */
export function dateOf({ taken_at, modified_at }: Dated, now = Date.now()): Date | null {
  if (taken_at) return wallTime(taken_at);
  const modified = Date.parse(modified_at ?? '');
  return modified < now + LEAD ? new Date(modified) : null;
}

/** A day as words; empty for none. */
export function day(date: Date | null): string {
  return date ? days.format(date) : '';
}

/** When a picture was taken, with the wall's offset where it is known: "July 15, 2019 at 23:30 (−08:00)". */
export function taken({ taken_at, taken_offset }: Pick<Picture, 'taken_at' | 'taken_offset'>): string {
  const date = wallTime(taken_at);
  if (!date) return '';
  // A name such as IMG-20190101-WA0001 has a day alone.
  const isDay = !taken_offset && taken_at?.endsWith('T00:00:00');
  const offset = taken_offset ? ` (${taken_offset.replace('-', '−')})` : '';
  return isDay ? day(date) : daysWithTime.format(date) + offset;
}

/** A day such as `2008-08-08`, or one `later` days on; null for what is no day. */
export function laterDay(value: string, later = 0): string | null {
  const date = wallTime(`${value}T00:00:00`);
  if (!date) return null;
  date.setUTCDate(date.getUTCDate() + later);
  return date.toISOString().slice(0, 10);
}
