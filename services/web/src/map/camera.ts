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

export const WHOLE: Camera = { x: 0, y: 0, zoom: 1 };
export const LEAST_ZOOM = 0.5;
export const MOST_ZOOM = 400;
/** The map runs from -1 to 1; a little room is left around it. */
const SPAN = 2.24;

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

const clamp = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));

function kept(camera: Camera): Camera {
  return {
    x: clamp(camera.x, -1.2, 1.2),
    y: clamp(camera.y, -1.2, 1.2),
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

/** As the address holds it: `x,y,zoom`; empty for the whole map. */
export function formatCamera(camera: Camera): string {
  if (camera.x === 0 && camera.y === 0 && camera.zoom === 1) return '';
  return `${+camera.x.toFixed(4)},${+camera.y.toFixed(4)},${+camera.zoom.toFixed(3)}`;
}

export function parseCamera(text: string | undefined): Camera {
  const [x, y, zoom] = (text ?? '').split(',').map(Number);
  if (x === undefined || y === undefined || zoom === undefined) return WHOLE;
  return [x, y, zoom].every(Number.isFinite) && zoom > 0 ? kept({ x, y, zoom }) : WHOLE;
}
