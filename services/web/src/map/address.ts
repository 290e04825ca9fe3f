import type { PageParameters } from '../lib/state/address';
import { formatCamera, parseCamera, type Camera } from './camera';
import type { Colouring } from './palette';

/** What the address holds of the map page: which map, and how one looks at it. */
export interface MapView {
  map: string | null;
  /** Null for the whole map. */
  camera: Camera | null;
  colouring: Colouring | null;
  /** Categories that are switched off. */
  off: readonly number[];
}

export function parseView(parameters: PageParameters): MapView {
  const colouring = parameters.by === 'label' || parameters.by === 'cluster' ? parameters.by : null;
  const off = (parameters.off ?? '').split('.').filter((part) => /^-?\d{1,6}$/.test(part));
  return {
    map: parameters.map ?? null,
    camera: parseCamera(parameters.at),
    colouring,
    off: [...new Set(off.map(Number))],
  };
}

export function formatView(view: MapView): PageParameters {
  const parameters: Record<string, string> = {};
  if (view.map) parameters.map = view.map;
  const at = formatCamera(view.camera);
  if (at) parameters.at = at;
  if (view.colouring) parameters.by = view.colouring;
  if (view.off.length > 0) parameters.off = view.off.join('.');
  return parameters;
}
