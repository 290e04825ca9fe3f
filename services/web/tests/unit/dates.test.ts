import { afterEach, describe, expect, it } from 'vitest';
import { dateOf, day, laterDay, taken, wallTime } from '../../src/lib/dates';
import { byMonth } from '../../src/lib/months';
import { coordinates, rating } from '../../src/lib/place';

const zone = process.env.TZ;
const of = (taken_at: string | null, taken_offset: string | null = null) => ({
  taken_at,
  taken_offset,
  modified_at: null as string | null,
});

describe.each(['Asia/Tokyo', 'America/Los_Angeles', 'Europe/Berlin', 'Pacific/Kiritimati', 'UTC'])(
  'in %s',
  (name) => {
    const inZone = <T>(what: () => T): T => {
      process.env.TZ = name;
      return what();
    };
    afterEach(() => {
      process.env.TZ = zone;
    });

    it('a time is shown as it stood on the wall', () => {
      inZone(() => {
        expect(new Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(name);
        expect(taken(of('2019-07-15T23:30:00'))).toBe('July 15, 2019 at 23:30');
        expect(taken(of('2019-07-15T23:30:00.250000', '-08:00'))).toBe(
          'July 15, 2019 at 23:30 (\u221208:00)',
        );
        expect(taken(of('2019-12-31T00:00:00', '+02:00'))).toBe('December 31, 2019 at 00:00 (+02:00)');
        expect(taken(of('1975-06-07T00:10:00'))).toBe('June 7, 1975 at 00:10');
        // An hour that this zone leaves out in spring.
        expect(taken(of('2024-03-31T02:30:00'))).toBe('March 31, 2024 at 02:30');
      });
    });

    it('a day alone is shown without a time', () => {
      inZone(() => expect(taken(of('2019-01-01T00:00:00'))).toBe('January 1, 2019'));
    });

    it('months and days go by the wall', () => {
      inZone(() => {
        const months = byMonth([
          of('2019-08-01T00:00:00'),
          of('2019-07-31T23:59:59'),
          of('2019-07-01T00:00:00'),
        ]);
        expect(months.map((month) => [month.key, month.name])).toEqual([
          ['2019-08', 'August 2019'],
          ['2019-07', 'July 2019'],
        ]);
        expect(day(dateOf(of('2019-07-31T23:59:59')))).toBe('July 31, 2019');
        expect([laterDay('2019-12-31'), laterDay('2019-12-31', 1)]).toEqual(['2019-12-31', '2020-01-01']);
      });
    });
  },
);

describe('what is no date', () => {
  it.each(['', 'soon', '2019-07', '2019-13-45T00:00:00', null, undefined])('%s is none', (value) => {
    expect(wallTime(value)).toBeNull();
    expect(taken(of(value ?? null))).toBe('');
  });

  it.each(['', 'soon', '2019-13-45'])('%s is no day', (value) => expect(laterDay(value)).toBeNull());

  it('a file from the future has none', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    const modified = (modified_at: string) => dateOf({ taken_at: null, modified_at }, now);
    expect(modified('2026-01-03T00:00:00Z')).toBeNull();
    expect(modified('2025-12-31T00:00:00Z')).toEqual(new Date('2025-12-31T00:00:00Z'));
    expect(byMonth([{ taken_at: null, modified_at: '2999-01-01T00:00:00Z' }])[0]?.name).toBe('No date');
  });
});

it('places and ratings read as words', () => {
  expect(coordinates({ latitude: 48.2082, longitude: -16.3738 })).toBe('48.20820\u00b0 N, 16.37380\u00b0 W');
  expect([rating(4), rating(-1)]).toEqual(['4 of 5 stars', 'Rejected']);
});
