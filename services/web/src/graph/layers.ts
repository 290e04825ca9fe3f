/** What is drawn under and over the pictures of the graph: the areas of clusters, their names, and the query's words. */
import type { ColorScheme } from '../lib/color-scheme';
import { hullOf, namePlace } from './hull';
import type { Layout, Placed, Point } from './layout';
import { QUERY, type ResultGraph } from './model';
import { ACCENT, clusterColor, faded, BACKGROUND, INK, ON_ACCENT } from './palette';

/** The hull lies within the outermost pictures, and a round brush of this width around it makes its corners round. */
const PAD = -16;
const BRUSH = 58;
const BORDER = 3.5;
const NAME_SIZE = 19;
const FONT = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif';

export interface ClusterArea {
  cluster: number;
  name: string;
  hull: Point[];
  middle: Point;
  width: number;
}

/** From units of the layout to pixels of a canvas. */
export interface Projection {
  point: (point: Point) => Point;
  scale: number;
}

/** The area of each cluster that has a picture; names do not overlap where there is room. */
export function clusterAreas(graph: ResultGraph, layout: Layout): ClusterArea[] {
  const taken: { left: number; right: number; top: number; bottom: number }[] = [];
  const discs = [...layout.places.values()];
  return graph.clusters.flatMap(({ id, name }) => {
    const members = graph.nodes
      .filter(({ cluster }) => cluster === id)
      .map(({ picture }) => layout.places.get(picture.id))
      .filter((place): place is Placed => place !== undefined);
    if (members.length === 0) return [];
    const hull = hullOf(members, PAD);
    const width = name.length * NAME_SIZE * 0.56 + 26;
    const height = NAME_SIZE * 1.5;
    const middle = namePlace(hullOf(members, PAD + BRUSH / 2), discs, taken, { width, height }, layout);
    taken.push({
      left: middle.x - width / 2,
      right: middle.x + width / 2,
      top: middle.y - height / 2,
      bottom: middle.y + height / 2,
    });
    return [{ cluster: id, name, hull, middle, width }];
  });
}

export function drawAreas(
  context: CanvasRenderingContext2D,
  areas: readonly ClusterArea[],
  projection: Projection,
  scheme: ColorScheme,
): void {
  context.lineJoin = 'round';
  for (const { cluster, hull } of areas) {
    const color = clusterColor(cluster, scheme);
    context.beginPath();
    for (const corner of hull) {
      const { x, y } = projection.point(corner);
      context.lineTo(x, y);
    }
    context.closePath();
    // A round brush along the hull makes its corners round: first the edge, then the area within it.
    context.strokeStyle = mixed(color, scheme, 0.5);
    context.lineWidth = BRUSH * projection.scale + 2.5;
    context.stroke();
    context.fillStyle = context.strokeStyle = mixed(color, scheme, scheme === 'light' ? 0.09 : 0.12);
    context.lineWidth = BRUSH * projection.scale;
    context.stroke();
    context.fill();
  }
}

/** Opaque, so that brush and area do not add up where they overlap. */
function mixed(color: string, scheme: ColorScheme, share: number): string {
  const channel = (hex: string, at: number) => parseInt(hex.slice(at, at + 2), 16);
  const mix = [1, 3, 5].map((at) =>
    Math.round(channel(color, at) * share + channel(BACKGROUND[scheme], at) * (1 - share)),
  );
  return `rgb(${mix.join(' ')})`;
}

export function drawClusterNames(
  context: CanvasRenderingContext2D,
  areas: readonly ClusterArea[],
  projection: Projection,
  scheme: ColorScheme,
): void {
  const size = Math.min(22, Math.max(11, NAME_SIZE * projection.scale));
  context.font = `620 ${size}px ${FONT}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const { cluster, name, middle } of areas) {
    const { x, y } = projection.point(middle);
    const width = context.measureText(name).width;
    const height = size * 1.5;
    context.fillStyle = faded(BACKGROUND[scheme], 0.94);
    context.strokeStyle = clusterColor(cluster, scheme);
    context.lineWidth = 1.5;
    context.beginPath();
    context.roundRect(x - width / 2 - size * 0.6, y - height / 2, width + size * 1.2, height, height / 2);
    context.fill();
    context.stroke();
    context.fillStyle = INK[scheme];
    context.fillText(name, x, y + size * 0.04);
  }
}

/** The query's words on its disc; a query without words is drawn as its picture, and needs none. */
export function drawQuery(
  context: CanvasRenderingContext2D,
  text: string,
  layout: Layout,
  projection: Projection,
  scheme: ColorScheme,
): void {
  const place = layout.places.get(QUERY);
  if (!place) return;
  const { x, y } = projection.point(place);
  const radius = place.radius * projection.scale;
  context.fillStyle = ACCENT[scheme];
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = ON_ACCENT[scheme];
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const { lines, size } = fitText(context, text, radius * 1.62);
  lines.forEach((line, index) => {
    context.fillText(line, x, y + (index - (lines.length - 1) / 2) * size * 1.16);
  });
}

/** The largest size at which the words fit into a disc in at most three lines; what does not fit is cut. */
function fitText(context: CanvasRenderingContext2D, text: string, width: number) {
  const words = text.split(' ');
  for (let size = width / 4.2; ; size *= 0.9) {
    context.font = `640 ${size}px ${FONT}`;
    const lines: string[] = [];
    for (const word of words) {
      const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
      if (lines.length > 0 && context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    const fits = lines.length <= 3 && lines.every((line) => context.measureText(line).width <= width);
    if (fits) return { lines, size };
    if (size < width / 9) {
      const cut = lines.slice(0, 3).map((line) => shortened(context, line, width));
      return { lines: cut, size };
    }
  }
}

function shortened(context: CanvasRenderingContext2D, line: string, width: number): string {
  let short = line;
  while (short.length > 1 && context.measureText(`${short}…`).width > width) short = short.slice(0, -1);
  return short === line ? line : `${short}…`;
}

/** The border of a picture, in its cluster's colour. */
export function drawBorder(
  context: CanvasRenderingContext2D,
  place: Placed,
  projection: Projection,
  color: string,
): void {
  drawCircle(context, place, projection, color, Math.max(1.5, BORDER * projection.scale), 0);
}

/** Fades pictures: their discs are covered by the background, half transparent. */
export function drawFading(
  context: CanvasRenderingContext2D,
  places: readonly Placed[],
  projection: Projection,
  scheme: ColorScheme,
): void {
  context.fillStyle = faded(BACKGROUND[scheme], 0.62);
  for (const place of places) {
    const { x, y } = projection.point(place);
    context.beginPath();
    context.arc(x, y, place.radius * projection.scale + 0.5, 0, 2 * Math.PI);
    context.fill();
  }
}

/** A ring around a picture that is pointed at. */
export function drawRing(
  context: CanvasRenderingContext2D,
  place: Placed,
  projection: Projection,
  color: string,
): void {
  drawCircle(context, place, projection, color, 3, 3.5);
}

function drawCircle(
  context: CanvasRenderingContext2D,
  place: Placed,
  projection: Projection,
  color: string,
  width: number,
  outset: number,
): void {
  const { x, y } = projection.point(place);
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  context.arc(x, y, place.radius * projection.scale + outset, 0, 2 * Math.PI);
  context.stroke();
}
