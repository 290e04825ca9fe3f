import createClient from 'openapi-fetch';
import { ApiError, problemOf, retryAfter } from './errors';
import { withKey } from './key-prompt';
import type { paths } from './schema';

const TIMEOUT_MS = 30_000;
const SESSION = '/api/v1/session' satisfies keyof paths;
const SEARCH = '/api/v1/search' satisfies keyof paths;

export const client = createClient<paths>({
  headers: { accept: 'application/json' },
  fetch: async (request) => {
    // Held, so that it can be sent again; a clone's body would be a stream, of which browsers' tools show nothing.
    const held = await request.arrayBuffer();
    const body = held.byteLength > 0 ? held : undefined;
    const send = () =>
      fetch(new Request(request, body && { body }), {
        signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
    const path = new URL(request.url).pathname;
    if (path === SESSION) return send();
    return withKey(request.method === 'GET' || path === SEARCH ? 'read' : 'change', send);
  },
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/**
 * The data of a call of `client`. Throws `ApiError` for every answer that is not a success, with status 0 where there
 * was no answer; an aborted call throws the signal's own AbortError.
 */
export async function dataOf<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call.catch((reason: unknown) => {
    throw errorWithoutAnswer(reason);
  });
  if (!response.ok)
    throw new ApiError(response.status, problemOf(error), retryAfter(response.headers.get('retry-after')));
  return data as T;
}

function errorWithoutAnswer(reason: unknown): unknown {
  if (reason instanceof SyntaxError) return new ApiError(502, {});
  if (!(reason instanceof DOMException)) return new ApiError(0, {});
  if (reason.name === 'TimeoutError')
    return new ApiError(0, { detail: 'The answer took longer than 30 seconds.' });
  return reason;
}

/** Deletes something; that it is gone already is as good. */
export async function deleted(call: Promise<Answer<unknown>>): Promise<void> {
  await dataOf(call).catch((error: unknown) => {
    if (!(error instanceof ApiError && error.kind === 'missing')) throw error;
  });
}
