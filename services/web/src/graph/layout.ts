import { QUERY, type ResultGraph } from './model';

export interface Point {
  x: number;
  y: number;
}

export interface Placed extends Point {
  radius: number;
}

export interface Layout {
  /** Around the query at (0, 0), y down; the area is always the same, so that sizes mean the same. */
  width: number;
  height: number;
  places: ReadonlyMap<string, Placed>;
}

const SIDE = 1000;
const QUERY_RADIUS = 62;
const LARGEST = 53;
const SMALLEST = 31;
const GAP = 7;
const CLUSTER_GAP = 30;
const QUERY_GAP = 26;
const MARGIN = 22;
/** Above each cluster, for its name. */
const HEAD = 30;
const ROUNDS = 260;
const GOLDEN = Math.PI * (3 - Math.sqrt(5));

interface Body extends Placed {
  id: string;
  cluster: number;
}

/** The radius of a picture by its rank: the better, the larger; larger all where there are few. */
export function radiusOf(rank: number, count: number): number {
  const share = count > 1 ? rank / (count - 1) : 0;
  return (LARGEST + (SMALLEST - LARGEST) * share ** 0.7) * Math.min(1.5, Math.sqrt(50 / Math.max(count, 1)));
}

/**
 * Places a graph in a panel of the given width over height: the query in the middle, clusters around it with those that
 * are alike side by side, better pictures nearer to the query. Equal graphs get equal places; nothing is random.
 */
export function layOut(graph: ResultGraph, aspect: number): Layout {
  const stretch = Math.sqrt(Math.min(2.4, Math.max(0.5, aspect)));
  const width = SIDE * stretch;
  const height = SIDE / stretch;
  const bodies: Body[] = graph.nodes.map(({ picture, rank, cluster }) => ({
    id: picture.id,
    cluster,
    x: 0,
    y: 0,
    radius: radiusOf(rank, graph.nodes.length),
  }));
  const groups = orderedClusters(graph).map((id) => bodies.filter(({ cluster }) => cluster === id));
  seed(groups, width, height);
  relax(bodies, groups, width, height);
  const places = new Map<string, Placed>([[QUERY, { x: 0, y: 0, radius: QUERY_RADIUS }]]);
  for (const { id, x, y, radius } of bodies) places.set(id, { x, y, radius });
  return { width, height, places };
}

/** The ids of clusters such that each comes after the one that it has most in common with. */
export function orderedClusters(graph: ResultGraph): number[] {
  const clusterOf = new Map(graph.nodes.map(({ picture, cluster }) => [picture.id, cluster]));
  const shared = new Map<string, number>();
  const pair = (one: number, other: number) => `${Math.min(one, other)}:${Math.max(one, other)}`;
  for (const { source, target, similarity } of graph.edges) {
    const one = clusterOf.get(source);
    const other = clusterOf.get(target);
    if (one === undefined || other === undefined || one === other) continue;
    shared.set(pair(one, other), (shared.get(pair(one, other)) ?? 0) + similarity);
  }
  const left = [...new Set(clusterOf.values())].sort((a, b) => a - b);
  const order = left.splice(0, 1);
  while (left.length > 0) {
    const last = order.at(-1) ?? 0;
    const next = left.reduce((best, each) =>
      (shared.get(pair(last, each)) ?? 0) > (shared.get(pair(last, best)) ?? 0) ? each : best,
    );
    order.push(...left.splice(left.indexOf(next), 1));
  }
  return order;
}

/** A first place for each: clusters on an ellipse, each a spiral whose places nearest to the query go to the best. */
function seed(groups: readonly Body[][], width: number, height: number): void {
  const sizes = groups.map((group) => discRadius(group));
  const around = sizes.reduce((sum, size) => sum + size, 0);
  let before = 0;
  groups.forEach((group, index) => {
    const size = sizes[index] ?? 0;
    const angle = Math.PI + (2 * Math.PI * (before + size / 2 - (sizes[0] ?? 0) / 2)) / Math.max(around, 1);
    before += size;
    const alone = groups.length === 1;
    const center = {
      x: alone ? 0 : Math.cos(angle) * Math.max(width / 2 - MARGIN - size, QUERY_RADIUS + size),
      y: alone ? 0 : Math.sin(angle) * Math.max(height / 2 - MARGIN - size, QUERY_RADIUS + size),
    };
    const spots = group
      .map((_, n) => {
        const distance = size * Math.sqrt((n + 0.5) / group.length);
        return {
          x: center.x + Math.cos(n * GOLDEN + angle) * distance,
          y: center.y + Math.sin(n * GOLDEN + angle) * distance,
        };
      })
      .sort((a, b) => Math.hypot(a.x, a.y) - Math.hypot(b.x, b.y));
    group.forEach((body, n) => Object.assign(body, spots[n]));
  });
}

/** The radius of a disc that holds the group. */
function discRadius(group: readonly Body[]): number {
  return 1.12 * Math.sqrt(group.reduce((sum, { radius }) => sum + (radius + GAP / 2) ** 2, 0));
}

function centroid(group: readonly Body[]): Point {
  const sum = group.reduce((total, { x, y }) => ({ x: total.x + x, y: total.y + y }), { x: 0, y: 0 });
  return { x: sum.x / Math.max(group.length, 1), y: sum.y / Math.max(group.length, 1) };
}

/** Pulls each cluster together, then pushes apart whatever overlaps; the pull decays, so that the last rounds only push. */
function relax(bodies: readonly Body[], groups: readonly Body[][], width: number, height: number): void {
  const query: Body = { id: QUERY, cluster: -1, x: 0, y: 0, radius: QUERY_RADIUS };
  for (let round = 0; round < ROUNDS; round += 1) {
    const pull = 0.045 * Math.max(0, 1 - round / (ROUNDS * 0.75));
    if (groups.length > 1) {
      for (const group of groups) {
        const center = centroid(group);
        for (const body of group) {
          body.x += (center.x - body.x) * pull;
          body.y += (center.y - body.y) * pull;
        }
      }
      separateClusters(groups, pull);
    }
    bodies.forEach((one, index) => {
      separate(one, query, QUERY_GAP, true);
      for (const other of bodies.slice(index + 1)) {
        separate(one, other, one.cluster === other.cluster ? GAP : CLUSTER_GAP, false);
      }
    });
    for (const body of bodies) {
      const reach = body.radius + MARGIN;
      body.x = Math.min(width / 2 - reach, Math.max(reach - width / 2, body.x));
      body.y = Math.min(height / 2 - reach, Math.max(reach + HEAD - height / 2, body.y));
    }
  }
}

/** Moves clusters whose discs overlap apart from each other, each as a whole. */
function separateClusters(groups: readonly Body[][], pull: number): void {
  groups.forEach((one, index) => {
    for (const other of groups.slice(index + 1)) {
      const from = centroid(one);
      const to = centroid(other);
      const distance = Math.max(1, Math.hypot(to.x - from.x, to.y - from.y));
      const overlap = discRadius(one) + discRadius(other) + CLUSTER_GAP - distance;
      if (overlap <= 0) continue;
      const x = (((to.x - from.x) / distance) * overlap * pull) / 2;
      const y = (((to.y - from.y) / distance) * overlap * pull) / 2;
      for (const body of one) Object.assign(body, { x: body.x - x, y: body.y - y });
      for (const body of other) Object.assign(body, { x: body.x + x, y: body.y + y });
    }
  });
}

function separate(one: Body, other: Body, gap: number, fixed: boolean): void {
  let dx = one.x - other.x;
  let dy = one.y - other.y;
  let distance = Math.hypot(dx, dy);
  if (distance < 1e-6) {
    // In one place: apart along a line that depends on nothing but size.
    dx = Math.cos(one.radius);
    dy = Math.sin(one.radius);
    distance = 1;
  }
  const overlap = one.radius + other.radius + gap - distance;
  if (overlap <= 0) return;
  const share = fixed ? 1 : 0.5;
  one.x += (dx / distance) * overlap * share;
  one.y += (dy / distance) * overlap * share;
  if (fixed) return;
  other.x -= (dx / distance) * overlap * share;
  other.y -= (dy / distance) * overlap * share;
}
