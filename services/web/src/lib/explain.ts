import type { IconName } from '../components/Icon.svelte';
import type { ApiError } from './api/errors';

/** An error as people read it: what is wrong, and what to do. */
interface Explanation {
  icon: IconName;
  title: string;
  text: string;
  /** The gateway's own words, where they add something. */
  detail: string;
  retryable: boolean;
  /** After how many seconds the page tries again by itself; null for never. */
  retrySeconds: number | null;
}

const RETRY_SECONDS = 8;

type Words = Pick<Explanation, 'icon' | 'title' | 'text'>;

/** What the page can say better than by status alone. */
const BY_PROBLEM: Record<string, Words> = {
  'encoder-unavailable': {
    icon: 'hourglass',
    title: 'The model is not running',
    text: 'The encoder, which turns queries into vectors, is stopped or still starting. It usually comes back within a minute; if it does not, look at its log.',
  },
  'no-encoder': {
    icon: 'hourglass',
    title: 'The model is not running',
    text: 'No encoder serves the model that this collection was indexed with. Start one with that model, or wait for the one that is starting.',
  },
  'catalogue-unavailable': {
    icon: 'hourglass',
    title: 'The catalogue does not answer',
    text: 'The vector database is stopped or still starting. It usually comes back within a minute; if it does not, look at its log.',
  },
  'not-on-this-device': {
    icon: 'picture',
    title: 'The picture of this search is on another device',
    text: 'A picture that you search by is kept only in the browser that you gave it to. Drop or paste it again to search by it here.',
  },
  'key-required': {
    icon: 'lock',
    title: 'A key is needed',
    text: 'Sign in with a key to search and to see the pictures. Whoever runs Sightline has one for you.',
  },
  'no-vector': {
    icon: 'hourglass',
    title: 'This picture is not indexed yet',
    text: 'It is still waiting to be indexed. After that, similar pictures can be found.',
  },
  'not-a-picture': {
    icon: 'picture',
    title: 'This file cannot be read as a picture',
    text:
      'JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF, JPEG XL, JPEG 2000, PSD and camera raw files are read. ' +
      'Try another file, or the same picture saved again.',
  },
  'too-large': {
    icon: 'picture',
    title: 'This picture is too large',
    text: 'Make it smaller and search by it again.',
  },
};

export function explain(error: ApiError): Explanation {
  const known = BY_PROBLEM[error.problem];
  const common = { detail: error.detail, retryable: true, retrySeconds: null };
  switch (error.kind) {
    case 'unreachable':
      return {
        ...common,
        icon: 'unplugged',
        title: 'Sightline does not answer',
        text: 'The service behind this page is stopped or restarting. Your pictures are safe where they are. If this persists, restart Sightline and look at its log.',
        retrySeconds: RETRY_SECONDS,
      };
    case 'busy':
      return {
        ...common,
        icon: 'hourglass',
        title: 'Many searches at once',
        text: 'The model is busy with other searches. Yours is retried in a moment.',
        retrySeconds: error.retryAfterSeconds ?? 2,
      };
    case 'unavailable':
      return {
        ...common,
        icon: 'hourglass',
        title: 'Search is not ready',
        text: 'A part of Sightline that search needs is stopped or still starting. It usually comes back within a minute; if it does not, look at its log.',
        ...known,
        // The gateway says when it may be asked again; a service that starts needs longer.
        retrySeconds: Math.max(error.retryAfterSeconds ?? RETRY_SECONDS, 5),
      };
    case 'missing':
      return {
        ...common,
        icon: 'picture',
        title: 'This picture is no longer here',
        text: 'It was removed from the collection or renamed since the link was made. Search for it again by what it shows.',
        ...known,
        detail: '',
        retryable: false,
      };
    case 'refused':
      return {
        ...common,
        icon: 'warning',
        title: 'This search was not understood',
        text: 'Change the query, or search by another picture.',
        ...known,
        retryable: error.problem === 'no-vector',
      };
    case 'failed':
      return {
        ...common,
        icon: 'warning',
        title: 'Something went wrong',
        text: 'The search failed inside Sightline. Try again; if it fails again, the log says why.',
      };
  }
}
