import { describe, expect, it } from 'vitest';
import * as format from '../../src/lib/format';

describe('figures', () => {
  it.each([
    [0.6149, '0.61'],
    [1, '1.00'],
    [0.9997, '1.00'],
    [0.9981, '0.99'],
    [-0.05, '\u22120.05'],
    [-0.001, '0.00'],
  ])('writes the similarity %f as %s', (value, text) => {
    expect(format.similarity(value)).toBe(text);
  });

  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1_500, '1.5 kB'],
    [999_999, '1.0 MB'],
    [64_000_000, '64 MB'],
  ])('writes %d bytes as %s', (value, text) => {
    expect(format.bytes(value)).toBe(text);
  });

  it('draws the best as a full bar and what is opposite as none', () => {
    expect(format.similarityShare(0.6, 0.6)).toBe(1);
    expect(format.similarityShare(0.3, 0.6)).toBe(0.5);
    expect(format.similarityShare(-0.2, 0.6)).toBe(0);
    expect(format.similarityShare(-0.3, -0.2)).toBe(0);
  });

  it('keeps the plural right', () => {
    expect(format.plural(1, 'picture', 'pictures')).toBe('1 picture');
    expect(format.plural(1234, 'picture', 'pictures')).toBe('1,234 pictures');
  });

  it('rounds times that need no more', () => {
    expect(format.milliseconds(3.14)).toBe('3.1 ms');
    expect(format.milliseconds(42.4)).toBe('42 ms');
  });
});

describe('times', () => {
  const now = Date.parse('2026-11-24T12:00:00Z');

  it.each([
    ['2026-11-24T11:59:58Z', 'just now'],
    ['2026-11-24T11:59:20Z', '40 s ago'],
    ['2026-11-24T11:30:00Z', '30 min ago'],
    ['2026-11-24T02:00:00Z', '10 h ago'],
    ['2026-11-23T11:00:00Z', '1 day ago'],
    ['2026-11-24T12:05:00Z', 'just now'],
    ['not a date', ''],
    [null, ''],
  ])('says how long ago %s was', (value, text) => {
    expect(format.ago(value, now)).toBe(text);
  });
});

describe('labels', () => {
  it.each([
    ['hot_air-balloons', 'hot air balloons'],
    ['Leopards', 'leopards'],
    ['grandPiano', 'grand piano'],
  ])('reads %s as words', (label, text) => {
    expect(format.words(label)).toBe(text);
  });
});
