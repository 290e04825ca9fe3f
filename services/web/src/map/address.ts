import { formatCamera, parseCamera, type Camera } from './camera';
import type { Colouring } from './palette';

type Own = Readonly<Record<string, string>>;

/** What the address holds of the map page: which map, and how one looks at it. */
export interface MapView {
  map: string | null;
  /** Null for the whole map. */
  camera: Camera | null;
  colouring: Colouring | null;
  /** Categories that are switched off. */
  off: readonly number[];
}

export function parseView(own: Own): MapView {
  const colouring = own.by === 'label' || own.by === 'cluster' ? own.by : null;
  const off = (own.off ?? '').split('.').filter((part) => /^-?\d{1,6}$/.test(part));
  return { map: own.map ?? null, camera: parseCamera(own.at), colouring, off: [...new Set(off.map(Number))] };
}

export function formatView(view: MapView): Own {
  const own: Record<string, string> = {};
  if (view.map) own.map = view.map;
  const at = formatCamera(view.camera);
  if (at) own.at = at;
  if (view.colouring) own.by = view.colouring;
  if (view.off.length > 0) own.off = view.off.join('.');
  return own;
}
