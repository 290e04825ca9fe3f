import { ApiError } from '../api/errors';
import { getIngest } from '../api/ingest';
import type { IngestState } from '../api/types';
import { nextPollMilliseconds } from '../ingest';

/**
 * How far the collection is indexed: asked for once a second while something is pending or being scanned, else every
 * 15 s. The browser's cache asks with the ETag of the last answer, so that an unchanged one is not sent again.
 */
class Ingest {
  state = $state.raw<IngestState | null>(null);
  /** Why the state is not known, or no longer. */
  error = $state.raw<ApiError | null>(null);

  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  #started = false;

  start(): () => void {
    this.#started = true;
    const visible = () => {
      if (document.visibilityState === 'visible') void this.refresh();
    };
    document.addEventListener('visibilitychange', visible);
    void this.refresh();
    return () => {
      this.#started = false;
      clearTimeout(this.#timer);
      document.removeEventListener('visibilitychange', visible);
    };
  }

  async refresh(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    clearTimeout(this.#timer);
    try {
      this.state = await getIngest();
      this.error = null;
    } catch (error) {
      this.error = error instanceof ApiError ? error : new ApiError(500, {});
    } finally {
      this.#asking = false;
    }
    // A page that nobody looks at asks for nothing; it catches up when it is shown again.
    if (this.#started && document.visibilityState === 'visible') {
      this.#timer = setTimeout(
        () => void this.refresh(),
        nextPollMilliseconds(this.state, this.error !== null),
      );
    }
  }
}

export const ingest = new Ingest();
