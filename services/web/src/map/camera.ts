/** Where one looks: the middle of the view in the map's own coordinates, and how many times larger than the whole map. */
export interface Camera {
  x: number;
  y: number;
  zoom: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Spot {
  x: number;
  y: number;
}

/** What lies over the edges of the view, in pixels. */
export interface Insets {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export const WHOLE: Camera = { x: 0, y: 0, zoom: 1 };
export const NO_INSETS: Insets = { left: 0, right: 0, top: 0, bottom: 0 };
const LEAST_ZOOM = 0.5;
const MOST_ZOOM = 400;
/** The map runs from -1 to 1; a little room is left around it. */
const SPAN = 2.24;

const clamp = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));

/** Pixels for one unit of the map. */
export function scaleOf(camera: Camera, size: Size): number {
  return (camera.zoom * Math.max(1, Math.min(size.width, size.height))) / SPAN;
}

export function toScreen(spot: Spot, camera: Camera, size: Size): Spot {
  const scale = scaleOf(camera, size);
  return {
    x: size.width / 2 + (spot.x - camera.x) * scale,
    y: size.height / 2 - (spot.y - camera.y) * scale,
  };
}

export function toMap(spot: Spot, camera: Camera, size: Size): Spot {
  const scale = scaleOf(camera, size);
  return {
    x: camera.x + (spot.x - size.width / 2) / scale,
    y: camera.y - (spot.y - size.height / 2) / scale,
  };
}

function kept(camera: Camera): Camera {
  return {
    x: clamp(camera.x, -1.6, 1.6),
    y: clamp(camera.y, -1.6, 1.6),
    zoom: clamp(camera.zoom, LEAST_ZOOM, MOST_ZOOM),
  };
}

/** Moved by pixels, as a hand drags the map. */
export function panned(camera: Camera, dx: number, dy: number, size: Size): Camera {
  const scale = scaleOf(camera, size);
  return kept({ ...camera, x: camera.x - dx / scale, y: camera.y + dy / scale });
}

/** Zoomed by a factor; what lies under `at` (pixels) stays there. */
export function zoomed(camera: Camera, factor: number, at: Spot, size: Size): Camera {
  const zoom = clamp(camera.zoom * factor, LEAST_ZOOM, MOST_ZOOM);
  const under = toMap(at, camera, size);
  const scale = scaleOf({ ...camera, zoom }, size);
  return kept({
    x: under.x - (at.x - size.width / 2) / scale,
    y: under.y + (at.y - size.height / 2) / scale,
    zoom,
  });
}

/** Zoomed and moved by two fingers, one at `still`, the other going on: what lies under each stays there. */
export function pinched(camera: Camera, still: Spot, from: Spot, to: Spot, size: Size): Camera {
  const spread = (spot: Spot) => Math.hypot(spot.x - still.x, spot.y - still.y);
  const middle = { x: (from.x + still.x) / 2, y: (from.y + still.y) / 2 };
  const closer = zoomed(camera, spread(to) / Math.max(1, spread(from)), middle, size);
  return panned(closer, (to.x - from.x) / 2, (to.y - from.y) / 2, size);
}

/** All points, as large as they fit between what lies over the edges. */
export function fitted(
  points: { x: ArrayLike<number>; y: ArrayLike<number> },
  size: Size,
  insets: Insets,
): Camera {
  if (points.x.length === 0 || size.width === 0) return WHOLE;
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let index = 0; index < points.x.length; index += 1) {
    const x = points.x[index] ?? 0;
    const y = points.y[index] ?? 0;
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < bottom) bottom = y;
    if (y > top) top = y;
  }
  const wide = Math.max(size.width * 0.3, size.width - insets.left - insets.right);
  const high = Math.max(size.height * 0.3, size.height - insets.top - insets.bottom);
  const scale = Math.min((wide * 0.92) / (right - left + 0.04), (high * 0.92) / (top - bottom + 0.04));
  const zoom = clamp(scale / scaleOf(WHOLE, size), LEAST_ZOOM, 4);
  const used = scaleOf({ ...WHOLE, zoom }, size);
  return {
    x: (left + right) / 2 - (insets.left - insets.right) / 2 / used,
    y: (bottom + top) / 2 + (insets.top - insets.bottom) / 2 / used,
    zoom,
  };
}

/** As the address holds it: `x,y,zoom`; empty for the whole map. */
export function formatCamera(camera: Camera | null): string {
  if (camera === null) return '';
  return `${+camera.x.toFixed(4)},${+camera.y.toFixed(4)},${+camera.zoom.toFixed(3)}`;
}

export function parseCamera(text: string | undefined): Camera | null {
  const [x, y, zoom] = (text ?? '').split(',').map(Number);
  if (x === undefined || y === undefined || zoom === undefined) return null;
  return [x, y, zoom].every(Number.isFinite) && zoom > 0 ? kept({ x, y, zoom }) : null;
}
