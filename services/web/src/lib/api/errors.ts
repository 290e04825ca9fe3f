import type { Problem } from './types';

/** What went wrong, in the terms in which the page can help. */
type ErrorKind = 'unreachable' | 'busy' | 'unavailable' | 'missing' | 'refused' | 'failed';

/** A call that did not succeed. `detail` is the gateway's own sentence where it gave one. */
export class ApiError extends Error {
  readonly kind: ErrorKind;
  readonly status: number;
  /** The gateway's name of the problem, such as `encoder-unavailable`; empty where it gave none. */
  readonly problem: string;
  readonly title: string;
  readonly detail: string;
  /** By which the services' logs name this call; empty where there was no answer. */
  readonly requestId: string;
  readonly retryAfterSeconds: number | null;
  /** Of an upload of which nothing was taken: why, file by file. */
  readonly refused: readonly { name: string; reason: string }[];

  constructor(status: number, problem: Problem, retryAfterSeconds: number | null = null) {
    super(problem.detail || problem.title || `status ${status}`);
    this.name = 'ApiError';
    this.status = status;
    this.kind = kindOf(status);
    this.problem = problem.type?.match(/^urn:sightline:problem:(.+)$/)?.[1] ?? '';
    this.title = problem.title ?? '';
    this.detail = problem.detail ?? '';
    this.requestId = problem.request_id ?? '';
    this.refused = problem.refused ?? [];
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** 0 stands for no answer at all; 502 and 504 come from a proxy whose gateway is away. */
function kindOf(status: number): ErrorKind {
  if (status === 0 || status === 502 || status === 504) return 'unreachable';
  if (status === 429) return 'busy';
  if (status === 503) return 'unavailable';
  if (status === 404 || status === 410) return 'missing';
  if (status >= 400 && status < 500) return 'refused';
  return 'failed';
}

/** Seconds of a Retry-After header, given as seconds or as a date; null where there is none. */
export function retryAfter(header: string | null, now: number = Date.now()): number | null {
  if (!header) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, Math.round((date - now) / 1000));
}

/** The problem document that an answer holds; empty where it holds another body, which is not shown to people. */
export function problemOf(body: unknown): Problem {
  return body && typeof body === 'object' ? body : {};
}

/** The error of an answer's status and body. */
export function errorOf(status: number, body: string, retryHeader: string | null): ApiError {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = null;
  }
  return new ApiError(status, problemOf(parsed), retryAfter(retryHeader));
}
