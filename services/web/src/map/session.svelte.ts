import { ApiError } from '../lib/api/errors';
import { deleteMap, getMap, getMaps, makeMap } from '../lib/api/maps';
import { mergePoints } from './points';
import type { MapAnswer, MapRequest, MapState, MapSummary } from './types';

/** Until a map has points, a person waits for them. */
const POLL_WITHOUT_POINTS_MS = 500;
const POLL_MS = 1_000;
const POLL_AFTER_ERROR_MS = 3_000;

export const unfinished = (map: Pick<MapState, 'state'>): boolean =>
  map.state === 'queued' || map.state === 'running';
const asError = (error: unknown): ApiError =>
  error instanceof ApiError ? error : new ApiError(500, { detail: String(error) });

/** The map that is shown, followed while it is being made, and the list of those there are. */
class MapSession {
  map = $state.raw<MapState | null>(null);
  /** Why the map cannot be shown. */
  error = $state.raw<ApiError | null>(null);
  /** Why a new map was refused. */
  refusal = $state.raw<ApiError | null>(null);
  creating = $state(false);
  earlier = $state.raw<MapSummary[]>([]);

  #id: string | null = null;
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

  /** Stops following the map. */
  close(): void {
    clearTimeout(this.#timer);
    this.#id = null;
  }

  async create(request: MapRequest): Promise<string | null> {
    return this.createBy(() => makeMap(request));
  }

  /** Has a map made by a call, and shows it; null where it was refused. */
  async createBy(call: () => Promise<MapAnswer>): Promise<string | null> {
    this.creating = true;
    this.refusal = null;
    try {
      const answer = await call();
      this.close();
      this.map = null;
      this.#show(answer);
      this.error = null;
      this.#id = answer.id;
      void this.#read(answer.id);
      return answer.id;
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') return null;
      this.refusal = asError(error);
      return null;
    } finally {
      this.creating = false;
    }
  }

  /** Cancels the map that is being made; its points so far stay in view. */
  async cancel(): Promise<void> {
    const map = this.map;
    if (!map || !unfinished(map)) return;
    try {
      await deleteMap(map.id);
      clearTimeout(this.#timer);
      this.map = { ...map, state: 'cancelled' };
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
      this.earlier = await getMaps();
    } catch {
      // The form is whole without the list.
    }
  }

  again(): void {
    const id = this.#id;
    this.#id = null;
    this.open(id);
  }

  /** Asks for the map, and while it is being made, again. */
  async #read(id: string): Promise<void> {
    try {
      const known = this.map?.id === id && this.map.points ? this.map : null;
      const answer = await getMap(id, known?.version);
      // An answer that was under way when the map was cancelled is older than that.
      if (this.#id !== id || this.map?.state === 'cancelled') return;
      this.#show(answer);
      this.error = null;
      if (unfinished(answer)) this.#readLater(id, this.map?.points ? POLL_MS : POLL_WITHOUT_POINTS_MS);
    } catch (error) {
      if (this.#id !== id) return;
      if (this.map && unfinished(this.map)) this.#readLater(id, POLL_AFTER_ERROR_MS);
      else this.error = asError(error);
    }
  }

  #readLater(id: string, milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read(id), milliseconds);
  }

  #show(answer: MapAnswer): void {
    const known = this.map?.id === answer.id ? this.map.points : null;
    this.map = { ...answer, points: mergePoints(known, answer.points) };
  }
}

export const session = new MapSession();
