import { ApiError } from '../lib/api/errors';
import { askMap, deleteMap, mapEventsUrl, maps, mapState } from '../lib/api/maps';
import type { MapRequest, MapState } from './types';

const POLL_MS = 1_000;

export const unfinished = (map: MapState): boolean => map.state === 'queued' || map.state === 'running';
const asError = (error: unknown): ApiError =>
  error instanceof ApiError ? error : new ApiError(500, { detail: String(error) });

/** The map that is shown, followed while it is being made, and the list of those there are. */
export class MapSession {
  map = $state.raw<MapState | null>(null);
  /** Why the map that was asked for is not shown. */
  error = $state.raw<ApiError | null>(null);
  /** Why a new map could not be asked for. */
  refusal = $state.raw<ApiError | null>(null);
  asking = $state(false);
  earlier = $state.raw<MapState[]>([]);
  listed = $state(false);

  #id: string | null = null;
  #events: EventSource | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Shows a map, or none. */
  open(id: string | null): void {
    if (id === this.#id) return;
    this.close();
    this.#id = id;
    this.error = null;
    if (this.map?.id !== id) this.map = null;
    if (id !== null) void this.#read(id);
  }

  /** Stops listening. */
  close(): void {
    this.#events?.close();
    this.#events = null;
    clearTimeout(this.#timer);
    this.#id = null;
  }

  async ask(request: MapRequest): Promise<string | null> {
    return this.take(() => askMap(request));
  }

  /** Asks for a map in some way, and shows what comes; null where it was refused. */
  async take(call: () => Promise<MapState>): Promise<string | null> {
    this.asking = true;
    this.refusal = null;
    try {
      const map = await call();
      this.close();
      this.map = map;
      this.error = null;
      this.#id = map.id;
      void this.#read(map.id);
      return map.id;
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') return null;
      this.refusal = asError(error);
      return null;
    } finally {
      this.asking = false;
    }
  }

  /** Cancels the map that is being made; what it has come to stays in view. */
  async cancel(): Promise<void> {
    const map = this.map;
    if (!map || !unfinished(map)) return;
    try {
      await deleteMap(map.id);
      this.#show({ ...map, state: 'cancelled' });
    } catch (error) {
      this.refusal = asError(error);
    }
  }

  async forget(id: string): Promise<void> {
    try {
      await deleteMap(id);
      this.earlier = this.earlier.filter((map) => map.id !== id);
    } catch (error) {
      this.refusal = asError(error);
    }
  }

  async list(): Promise<void> {
    try {
      this.earlier = await maps();
    } catch {
      // The form is whole without the list.
    } finally {
      this.listed = true;
    }
  }

  again(): void {
    const id = this.#id;
    this.#id = null;
    this.open(id);
  }

  async #read(id: string): Promise<void> {
    try {
      const map = await mapState(id, true);
      if (this.#id !== id) return;
      this.#show(map);
      this.error = null;
      if (!unfinished(map)) return;
      if (this.#events === null) this.#listen(id);
      else this.#later(id, POLL_MS);
    } catch (error) {
      if (this.#id !== id) return;
      // While a map is being made, one look that fails is followed by another.
      if (this.map && unfinished(this.map)) this.#later(id, 3 * POLL_MS);
      else this.error = asError(error);
    }
  }

  #listen(id: string): void {
    const events = new EventSource(mapEventsUrl(id));
    this.#events = events;
    const take = (event: Event) => {
      if (this.#id !== id) return;
      const map = JSON.parse((event as MessageEvent<string>).data) as MapState;
      this.#show(map);
      if (!unfinished(map)) events.close();
    };
    for (const name of ['state', 'done', 'failed', 'cancelled']) events.addEventListener(name, take);
    // No stream, or no longer: then the page asks.
    events.onerror = () => {
      events.close();
      if (this.#id === id && this.map && unfinished(this.map)) this.#later(id, POLL_MS);
    };
  }

  #later(id: string, milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read(id), milliseconds);
  }

  /** A state without points keeps those that are shown. */
  #show(map: MapState): void {
    const known = this.map?.id === map.id ? this.map.points : null;
    this.map = map.points ? map : { ...map, points: known };
  }
}

export const session = new MapSession();
