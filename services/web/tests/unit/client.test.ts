import { describe, expect, it } from 'vitest';
import { dataOf, deleted } from '../../src/lib/api/client';

const answered = (status: number, body: { data?: unknown; error?: unknown } = {}, headers = {}) =>
  Promise.resolve({ ...body, response: new Response(null, { status, headers }) });

describe('a call', () => {
  it('gives the data of a success', async () => {
    expect(await dataOf(answered(200, { data: { indexed: 3 } }))).toEqual({ indexed: 3 });
    expect(await dataOf(answered(204))).toBeUndefined();
  });

  it('throws the problem of an error, and when to ask again', async () => {
    const error = { type: 'urn:sightline:problem:overloaded', detail: 'The encoder is busy.' };
    await expect(dataOf(answered(429, { error }, { 'retry-after': '4' }))).rejects.toMatchObject({
      kind: 'busy',
      problem: 'overloaded',
      detail: 'The encoder is busy.',
      retryAfterSeconds: 4,
    });
    await expect(dataOf(answered(502, { error: '<html>' }))).rejects.toMatchObject({
      kind: 'unreachable',
      detail: '',
    });
  });

  it('tells no answer, a late one, one that is not JSON and one that was not waited for apart', async () => {
    const failed = (reason: Error) => dataOf(Promise.reject(reason));
    await expect(failed(new TypeError('Failed to fetch'))).rejects.toMatchObject({ status: 0, detail: '' });
    await expect(failed(new DOMException('', 'TimeoutError'))).rejects.toMatchObject({
      status: 0,
      detail: 'The answer took longer than 30 seconds.',
    });
    await expect(failed(new SyntaxError())).rejects.toMatchObject({ status: 502 });
    await expect(failed(new DOMException('', 'AbortError'))).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('deletes what is gone already without an error', async () => {
    await expect(deleted(answered(204))).resolves.toBeUndefined();
    await expect(deleted(answered(404))).resolves.toBeUndefined();
    await expect(deleted(answered(503))).rejects.toMatchObject({ kind: 'unavailable' });
  });
});
