import { describe, expect, it } from 'vitest';
import type { IngestState } from '../../src/lib/api/types';
import { looksLikePicture } from '../../src/lib/files';
import {
  bucketMessage,
  ingestSentence,
  ingestSummary,
  needsAttention,
  nextPollMilliseconds,
  settledShare,
} from '../../src/lib/ingest';
import { BEST_SHAPES, fillsTile, GRID_SHAPES, sources, tileAspect } from '../../src/lib/tile-shapes';
import { RecentCache } from '../../src/lib/state/cache';
import { suggestions } from '../../src/lib/suggestions';

const quiet: IngestState = {
  pending: 0,
  indexed: 696,
  failed: 0,
  ignored: 3,
  queued: 0,
  scanning: false,
  last_scan_at: null,
  database: null,
  bucket: null,
  held: null,
  model_change: null,
  services: null,
  disk: null,
  writable: true,
};

describe('the ingest corner', () => {
  it('asks often while pictures wait, and seldom else', () => {
    expect(nextPollMilliseconds(quiet, false)).toBe(15_000);
    expect(nextPollMilliseconds({ ...quiet, pending: 1 }, false)).toBe(1_000);
    expect(nextPollMilliseconds(null, false)).toBeLessThan(15_000);
    expect(nextPollMilliseconds(quiet, true)).toBeLessThan(15_000);
  });

  it('says what is wrong with the bucket', () => {
    expect(bucketMessage(quiet)).toBe('');
    expect(needsAttention(quiet)).toBe(false);
    const away = { ...quiet, bucket: { message: 'the bucket /srv/pictures is not there', since: null } };
    expect(bucketMessage(away)).toBe('The bucket /srv/pictures is not there');
    expect(ingestSentence(away)).toBe('Collection: 696 indexed, the bucket cannot be reached');
    expect(needsAttention(away)).toBe(true);
    const message = '412 of 2,000 pictures are gone at once: is a disk not mounted?';
    const held = { count: 412, of: 2000, since: '2026-11-24T08:00:00Z', examples: ['a.jpg'], message };
    expect(bucketMessage({ ...quiet, held })).toBe(message);
    expect(ingestSentence({ ...quiet, held })).toBe('Collection: 696 indexed, 412 missing');
    expect(needsAttention({ ...quiet, held })).toBe(true);
  });

  it('says that a service keeps restarting', () => {
    const services = 'watcher (a) was restarted 4 times in 6 minutes; its log says why';
    expect(ingestSentence({ ...quiet, services })).toBe('Collection: 696 indexed, a service needs attention');
    expect(needsAttention({ ...quiet, services })).toBe(true);
  });

  it('says that a disk is full', () => {
    const disk = 'the disk of the database is full: 3 MB are free';
    expect(ingestSentence({ ...quiet, disk })).toBe('Collection: 696 indexed, a disk is full');
    expect(needsAttention({ ...quiet, disk })).toBe(true);
  });

  it('counts a failed picture as settled', () => {
    expect(settledShare({ ...quiet, indexed: 2, failed: 1, pending: 1 })).toBe(0.75);
    expect(settledShare({ ...quiet, indexed: 0 })).toBe(1);
  });

  it('shows how far a change of the model is', () => {
    const model_change = { model: 'ViT-B-32', pending: 70, indexed: 25, failed: 5 };
    const changing = { ...quiet, model_change };
    expect(settledShare(changing)).toBe(0.3);
    expect(ingestSummary(changing)).toBe('25 of 95');
    expect(ingestSentence(changing)).toBe(
      'Collection: 696 indexed, reading everything again for the model ViT-B-32: 30 of 100',
    );
    expect(nextPollMilliseconds(changing, false)).toBe(1_000);
  });

  it('says it in words', () => {
    expect(ingestSummary(quiet)).toBe('696 pictures');
    expect(ingestSummary({ ...quiet, indexed: 1 })).toBe('1 picture');
    expect(ingestSummary({ ...quiet, indexed: 1000, pending: 500 })).toBe('1,000 of 1,500');
    expect(ingestSentence({ ...quiet, failed: 2 })).toBe('Collection: 696 indexed, 2 failed');
  });
});

describe('suggestions', () => {
  it('takes the largest folders whose names are words', () => {
    const labels = [
      { label: 'DCIM', count: 900 },
      { label: '2019-08', count: 500 },
      { label: 'sea_horse', count: 40 },
      { label: 'Chair', count: 60 },
      { label: 'chair', count: 50 },
      { label: 'x', count: 70 },
    ];
    expect(suggestions(labels, 8).map(({ text }) => text)).toEqual(['chair', 'sea horse']);
    expect(suggestions(labels, 1)).toHaveLength(1);
  });
});

describe('tiles', () => {
  const links = { thumbnail_url: '/t', preview_url: '/p' };

  it('have the shape of the picture within bounds', () => {
    expect(tileAspect({ width: 300, height: 200 }, GRID_SHAPES)).toBe(1.5);
    expect(tileAspect({ width: 300, height: 200 }, BEST_SHAPES)).toBe(1.34);
    expect(tileAspect({ width: 9000, height: 100 }, GRID_SHAPES)).toBe(GRID_SHAPES.widest);
    expect(tileAspect({ width: 10, height: 9000 }, GRID_SHAPES)).toBe(GRID_SHAPES.narrowest);
    expect(tileAspect({ width: null, height: null }, GRID_SHAPES)).toBe(1);
  });

  it('show a picture whole rather than cut much of it', () => {
    expect(fillsTile({ width: 300, height: 200 }, BEST_SHAPES)).toBe(true);
    expect(fillsTile({ width: 3000, height: 200 }, BEST_SHAPES)).toBe(false);
    expect(fillsTile({ width: null, height: null }, GRID_SHAPES)).toBe(false);
  });

  it('offer the preview only where it is larger', () => {
    expect(sources({ width: 200, height: 100, ...links })).toBe('/t 200w');
    expect(sources({ width: 4000, height: 2000, ...links })).toBe('/t 384w, /p 1600w');
    expect(sources({ width: 1000, height: 2000, ...links })).toBe('/t 192w, /p 800w');
  });
});

describe('files', () => {
  it.each([
    ['a.jpg', 'image/jpeg', true],
    ['a.HEIC', '', true],
    ['a.svg', 'image/svg+xml', false],
    ['a.mp4', 'video/mp4', false],
    ['notes.txt', 'text/plain', false],
  ])('takes %s of type "%s": %s', (name, type, taken) => {
    expect(looksLikePicture({ name, type })).toBe(taken);
  });
});

describe('what is remembered', () => {
  it('is the most recently used', () => {
    const cache = new RecentCache<number>(2);
    cache.set('a', 1);
    cache.set('b', 2);
    cache.get('a');
    cache.set('c', 3);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
  });
});
