import { describe, expect, it } from 'vitest';
import { namePlace } from '../../src/graph/hull';
import { layOut, orderedClusters, radiusOf, type Layout } from '../../src/graph/layout';
import { neighbours, QUERY, WEAK, graphOf, type ResultGraph } from '../../src/graph/model';
import { nextInDirection } from '../../src/graph/arrow-navigation';
import { makeCollection } from '../fixture/pictures.mjs';
import { arrange } from '../fixture/graph.mjs';

/** A graph of so many pictures, in clusters of these sizes, ranked in turns. */
function makeGraph(sizes: number[]): ResultGraph {
  const left = [...sizes];
  const labels: number[] = [];
  while (left.some((size) => size > 0)) {
    left.forEach((size, cluster) => {
      if (size > 0) labels.push(cluster);
      left[cluster] = size - 1;
    });
  }
  const pictures = makeCollection(labels.length).map((picture, rank) => ({
    ...picture,
    label: `kind ${labels[rank]}`,
    similarity: 0.6 - rank * 0.005,
  }));
  return graphOf(arrange(pictures));
}

function overlaps({ places }: Layout): number {
  const all = [...places.values()];
  return all.flatMap((one, index) =>
    all
      .slice(index + 1)
      .filter((other) => Math.hypot(one.x - other.x, one.y - other.y) < one.radius + other.radius - 0.5),
  ).length;
}

const SHAPES: [string, number[]][] = [
  ['fifty in six', [15, 9, 8, 7, 6, 5]],
  ['fifty in eight', [7, 7, 6, 6, 6, 6, 6, 6]],
  ['fifty in two', [40, 10]],
  ['one large and many small', [43, 1, 1, 1, 1, 1, 1, 1]],
  ['fifty in one', [50]],
  ['a few', [3, 2]],
  ['one', [1]],
];

describe.each(SHAPES)('the layout of %s', (_, sizes) => {
  const graph = makeGraph(sizes);

  it.each([0.6, 1, 2.2])('at %s wide overlaps nowhere and leaves the panel nowhere', (aspect) => {
    const layout = layOut(graph, aspect);
    expect(layout.places.size).toBe(graph.nodes.length + 1);
    expect(overlaps(layout)).toBe(0);
    for (const { x, y, radius } of layout.places.values()) {
      expect(Math.abs(x) + radius).toBeLessThanOrEqual(layout.width / 2);
      expect(Math.abs(y) + radius).toBeLessThanOrEqual(layout.height / 2);
    }
    expect(layout.places.get(QUERY)).toMatchObject({ x: 0, y: 0 });
  });

  it('is the same every time', () => {
    expect([...layOut(graph, 1.6).places]).toEqual([...layOut(makeGraph(sizes), 1.6).places]);
  });
});

describe('the layout', () => {
  it('keeps each picture nearest to its own cluster', () => {
    const graph = makeGraph([15, 9, 8, 7, 6, 5]);
    const { places } = layOut(graph, 1.6);
    const middles = graph.clusters.map(({ id }) => {
      const members = graph.nodes
        .filter(({ cluster }) => cluster === id)
        .map(({ picture }) => places.get(picture.id));
      const mean = (pick: 'x' | 'y') =>
        members.reduce((sum, place) => sum + (place?.[pick] ?? 0), 0) / members.length;
      return { id, x: mean('x'), y: mean('y') };
    });
    const strangers = graph.nodes.filter(({ picture, cluster }) => {
      const place = places.get(picture.id) ?? { x: 0, y: 0 };
      const away = ({ x, y }: { x: number; y: number }) => Math.hypot(x - place.x, y - place.y);
      return middles.reduce((best, each) => (away(each) < away(best) ? each : best)).id !== cluster;
    });
    expect(strangers.length).toBeLessThanOrEqual(3);
  });

  it('is done long before a second has passed', () => {
    const graph = makeGraph([7, 7, 6, 6, 6, 6, 6, 6]);
    const began = performance.now();
    layOut(graph, 1.6);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it('makes better pictures larger, and all larger where there are few', () => {
    expect(radiusOf(0, 50)).toBeGreaterThan(radiusOf(10, 50));
    expect(radiusOf(10, 50)).toBeGreaterThan(radiusOf(49, 50));
    expect(radiusOf(0, 5)).toBeGreaterThan(radiusOf(0, 50));
  });

  it('puts clusters beside those they have most in common with', () => {
    const graph = makeGraph([2, 2, 2, 2]);
    const of = (cluster: number) => graph.nodes.find((node) => node.cluster === cluster)?.picture.id ?? '';
    const edges = [
      { source: of(0), target: of(2), similarity: 0.9 },
      { source: of(2), target: of(1), similarity: 0.8 },
      { source: of(1), target: of(3), similarity: 0.7 },
    ];
    expect(orderedClusters({ ...graph, edges })).toEqual([0, 2, 1, 3]);
  });
});

describe('the graph of an answer', () => {
  const results = makeCollection(3).map((picture, rank) => ({ ...picture, similarity: 0.5 - rank / 10 }));

  it('without clusters is one group, each with a line to the query', () => {
    const graph = graphOf({ results, clusters: [], edges: [] });
    expect(graph.clusters).toEqual([{ id: 0, name: 'All', size: 3 }]);
    expect(graph.edges.map(({ source, similarity }) => [source, similarity])).toEqual([
      [QUERY, 0.5],
      [QUERY, 0.4],
      [QUERY, 0.3],
    ]);
  });

  it('shows weak results together, after the clusters', () => {
    const pictures = makeCollection(4).map((picture, rank) => ({
      ...picture,
      similarity: 0.5,
      relevance: rank < 2 ? ('likely' as const) : ('weak' as const),
      cluster: rank < 2 ? 0 : null,
    }));
    const cat = { id: 0, name: 'cat', size: 2, best_id: pictures[0]?.id ?? '', similarity: 0.5 };
    const graph = graphOf({ results: pictures, clusters: [cat], edges: [] });
    expect(graph.clusters.map(({ name, size }) => [name, size])).toEqual([
      ['cat', 2],
      ['Less likely', 2],
    ]);
    expect(graph.nodes.map(({ cluster }) => cluster)).toEqual([0, 0, WEAK, WEAK]);
    const none = graphOf({ results: pictures.slice(2), clusters: [], edges: [] });
    expect(none.clusters.map(({ name }) => name)).toEqual(['Less likely']);
  });

  it('leaves out lines to what it does not show', () => {
    const [one, other] = results.map(({ id }) => id) as [string, string];
    const edges = [
      { source: one, target: other, similarity: 0.8 },
      { source: one, target: 'gone', similarity: 0.9 },
    ];
    const graph = graphOf({ results, clusters: [], edges });
    expect(graph.edges).toEqual([edges[0]]);
    expect(neighbours(graph, other)).toEqual(new Map([[one, 0.8]]));
  });

  it('of nothing is empty, and can be laid out', () => {
    const graph = graphOf({ results: [], clusters: [], edges: [] });
    expect(layOut(graph, 1).places.size).toBe(1);
  });
});

describe('arrow keys in the graph', () => {
  const places = new Map([
    ['middle', { x: 0, y: 0 }],
    ['right', { x: 50, y: 10 }],
    ['far right', { x: 90, y: 0 }],
    ['up', { x: 5, y: -40 }],
    ['left below', { x: -60, y: 70 }],
  ]);

  it.each([
    ['ArrowRight', 'right'],
    ['ArrowUp', 'up'],
    ['ArrowLeft', 'left below'],
    ['ArrowDown', 'left below'],
  ])('%s goes to the nearest that way', (key, expected) => {
    expect(nextInDirection(places, 'middle', key)).toBe(expected);
  });

  it('stay where there is nothing further', () => {
    expect(nextInDirection(places, 'far right', 'ArrowRight')).toBeNull();
    expect(nextInDirection(places, 'nowhere', 'ArrowRight')).toBeNull();
    expect(nextInDirection(places, 'middle', 'Enter')).toBeNull();
  });

  it('reach every picture of a graph', () => {
    const { places: all } = layOut(makeGraph([15, 9, 8, 7, 6, 5]), 1.6);
    const pictures = new Map([...all].filter(([id]) => id !== QUERY));
    const reached = new Set<string>();
    const queue = [[...pictures.keys()][0] ?? ''];
    for (const id of queue) {
      if (reached.has(id)) continue;
      reached.add(id);
      for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']) {
        const next = nextInDirection(pictures, id, key);
        if (next) queue.push(next);
      }
    }
    expect(reached.size).toBe(pictures.size);
  });
});

describe("a group's name", () => {
  const hull = [
    { x: -50, y: -50 },
    { x: 50, y: -50 },
    { x: 50, y: 50 },
    { x: -50, y: 50 },
  ];
  const size = { width: 40, height: 20 };
  const panel = { width: 400, height: 400 };

  it('stands above its group, and elsewhere where another one is', () => {
    const first = namePlace(hull, [], [], size, panel);
    expect(first.y).toBeLessThan(-50);
    const box = { left: first.x - 20, right: first.x + 20, top: first.y - 10, bottom: first.y + 10 };
    const second = namePlace(hull, [], [box], size, panel);
    expect(Math.abs(second.x - first.x) >= 40 || Math.abs(second.y - first.y) >= 20).toBe(true);
  });

  it('never leaves the panel', () => {
    const { x, y } = namePlace(hull, [], [], { width: 120, height: 20 }, { width: 130, height: 100 });
    expect(Math.abs(x) + 60).toBeLessThanOrEqual(65);
    expect(Math.abs(y) + 10).toBeLessThanOrEqual(50);
  });
});
