import { describe, expect, it } from 'vitest';
import { ApiError, errorOf, retryAfter } from '../../src/lib/api/errors';
import { explain } from '../../src/lib/explain';

const problem = (kind: string, status: number, detail = '') =>
  JSON.stringify({ type: `urn:sightline:problem:${kind}`, title: 'A title', status, detail });

describe('errors', () => {
  it('reads a problem document', () => {
    const error = errorOf(422, problem('not-a-picture', 422, 'empty file'), null);
    expect(error).toMatchObject({ kind: 'refused', problem: 'not-a-picture', detail: 'empty file' });
  });

  it('keeps why a file was refused', () => {
    const body = JSON.stringify({ status: 422, refused: [{ name: 'a.png', reason: 'empty file' }] });
    expect(errorOf(422, body, null).refused[0]?.reason).toBe('empty file');
    expect(errorOf(422, '{}', null).refused).toEqual([]);
  });

  it('shows no HTML of a proxy', () => {
    const error = errorOf(502, '<html><h1>Bad gateway</h1></html>', null);
    expect(error.kind).toBe('unreachable');
    expect(explain(error).detail).toBe('');
  });

  it.each([
    ['3', 3],
    ['Tue, 24 Nov 2026 12:00:30 GMT', 30],
    ['soon', null],
    [null, null],
  ])('reads Retry-After %s', (header, seconds) => {
    expect(retryAfter(header, Date.parse('2026-11-24T12:00:00Z'))).toBe(seconds);
  });

  it('says what to do for every kind', () => {
    for (const status of [0, 404, 409, 422, 429, 500, 502, 503]) {
      const explained = explain(new ApiError(status, {}));
      expect(explained.title).not.toBe('');
      expect(explained.text.length).toBeGreaterThan(20);
    }
  });

  it('asks again by itself only where waiting helps', () => {
    expect(explain(errorOf(429, problem('overloaded', 429), '4')).retrySeconds).toBe(4);
    expect(explain(errorOf(503, problem('encoder-unavailable', 503), '1')).retrySeconds).toBeGreaterThan(1);
    expect(explain(new ApiError(0, {})).retrySeconds).not.toBeNull();
    expect(explain(errorOf(404, problem('image-not-found', 404), null)).retryable).toBe(false);
    expect(explain(errorOf(500, '', null)).retrySeconds).toBeNull();
  });

  it('tells the encoder from the catalogue', () => {
    const encoder = explain(errorOf(503, problem('encoder-unavailable', 503), null));
    const catalogue = explain(errorOf(503, problem('catalogue-unavailable', 503), null));
    expect(encoder.title).toMatch(/model/i);
    expect(catalogue.title).toMatch(/catalogue/i);
  });
});
