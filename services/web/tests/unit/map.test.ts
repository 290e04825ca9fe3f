import { describe, expect, test } from 'vitest';
import { formatView, parseView } from '../../src/map/address';
import { fitted, NO_INSETS, panned, pinched, toMap, toScreen, WHOLE, zoomed } from '../../src/map/camera';
import { csv } from '../../src/map/csv';
import { matching, requestOf } from '../../src/map/form';
import { enclosed, inside } from '../../src/map/lasso';
import { GridIndex } from '../../src/map/grid-index';
import { mergePoints, positionsOf } from '../../src/map/points';
import { spread } from '../../src/map/selection';
import { chooseThumbnails, inView, MOST_THUMBNAILS, thumbnailSide } from '../../src/map/thumbnails';
import {
  agreementWords,
  mapTitle,
  progressFigures,
  progressShare,
  progressWords,
  silhouetteWords,
} from '../../src/map/texts';

const SIZE = { width: 1000, height: 800 };
const all = () => true;

describe('the camera', () => {
  test('the screen and the map agree both ways, and y points up', () => {
    const camera = { x: 0.2, y: -0.1, zoom: 3 };
    const back = toMap(toScreen({ x: 0.5, y: 0.4 }, camera, SIZE), camera, SIZE);
    expect(back.x).toBeCloseTo(0.5);
    expect(back.y).toBeCloseTo(0.4);
    expect(toScreen({ x: 0, y: 1 }, WHOLE, SIZE).y).toBeLessThan(400);
  });

  test('zooming keeps what is under the pointer, panning follows the hand', () => {
    const at = { x: 700, y: 200 };
    const before = toMap(at, WHOLE, SIZE);
    const after = toMap(at, zoomed(WHOLE, 2, at, SIZE), SIZE);
    expect(after.x).toBeCloseTo(before.x);
    expect(after.y).toBeCloseTo(before.y);
    const moved = toScreen({ x: 0, y: 0 }, panned(WHOLE, 30, -20, SIZE), SIZE);
    expect(moved.x).toBeCloseTo(530);
    expect(moved.y).toBeCloseTo(380);
  });

  test('two fingers keep what lies under each of them', () => {
    const [still, from, to] = [
      { x: 400, y: 400 },
      { x: 500, y: 400 },
      { x: 600, y: 400 },
    ];
    const after = pinched(WHOLE, still, from, to, SIZE);
    expect(after.zoom).toBeCloseTo(2);
    for (const [before, now] of [
      [still, still],
      [from, to],
    ] as const) {
      const spot = toScreen(toMap(before, WHOLE, SIZE), after, SIZE);
      expect(spot.x).toBeCloseTo(now.x);
      expect(spot.y).toBeCloseTo(now.y);
    }
  });

  test('the whole map fits between the panels', () => {
    const points = { x: [-1, 1], y: [-0.4, 0.4] };
    const insets = { ...NO_INSETS, left: 300, top: 100 };
    const camera = fitted(points, SIZE, insets);
    const left = toScreen({ x: -1, y: -0.4 }, camera, SIZE);
    const right = toScreen({ x: 1, y: 0.4 }, camera, SIZE);
    expect(left.x).toBeGreaterThan(300);
    expect(right.x).toBeLessThan(1000);
    expect((left.y + right.y) / 2).toBeCloseTo(450);
  });

  test('the address holds the view, and shrugs at nonsense', () => {
    const view = {
      map: 'm-1',
      camera: { x: 0.25, y: -0.5, zoom: 4 },
      colouring: 'cluster' as const,
      off: [2, -1],
    };
    expect(parseView(formatView(view))).toEqual(view);
    expect(parseView({ at: '1,zwei,3', by: 'size', off: 'a.3' })).toEqual({
      map: null,
      camera: null,
      colouring: null,
      off: [3],
    });
    expect(formatView({ map: null, camera: null, colouring: null, off: [] })).toEqual({});
  });
});

describe('the lasso', () => {
  const bay = [
    { x: 0, y: 0 },
    { x: 4, y: 0 },
    { x: 4, y: 4 },
    { x: 2, y: 1 },
    { x: 0, y: 4 },
  ];

  test('holds what lies inside, not what lies in its bay', () => {
    expect(inside(1, 1, bay)).toBe(true);
    expect(inside(2, 3, bay)).toBe(false);
    expect(inside(5, 1, bay)).toBe(false);
  });

  test('leaves out what is switched off; a line encloses nothing', () => {
    expect(enclosed([1, 3.5, 2], [1, 1, 3], bay, all)).toEqual([0, 1]);
    expect(enclosed([1, 3.5, 2], [1, 1, 3], bay, (index) => index !== 0)).toEqual([1]);
    expect(enclosed([1], [1], bay.slice(0, 2), all)).toEqual([]);
  });
});

test('the nearest point is the one that a look at all of them finds', () => {
  const random = (n: number) => ((Math.sin(n * 127.1) * 43758.5453) % 1) * 1.0;
  const xs = Array.from({ length: 500 }, (_, n) => random(n + 1));
  const ys = Array.from({ length: 500 }, (_, n) => random(n + 1000));
  const index = new GridIndex(xs, ys);
  for (let n = 0; n < 40; n += 1) {
    const [x, y] = [random(n + 5000), random(n + 6000)];
    const distances = xs.map((each, at) => Math.hypot(each - x, (ys[at] ?? 0) - y));
    const least = Math.min(...distances);
    expect(index.nearest(x, y, 0.2, all)).toBe(least < 0.2 ? distances.indexOf(least) : null);
  }
  expect(index.nearest(0, 0, 0.5, () => false)).toBeNull();
  expect(new GridIndex([], []).nearest(0, 0, 1, all)).toBeNull();
});

describe('thumbnails', () => {
  const count = 3000;
  const points = {
    x: Array.from({ length: count }, (_, n) => Math.cos(n) * ((n % 97) / 97)),
    y: Array.from({ length: count }, (_, n) => Math.sin(n) * ((n % 89) / 89)),
  };

  test('there are none from afar, and near at hand never one over another', () => {
    const far = inView(points, WHOLE, SIZE, all);
    expect(far).toHaveLength(count);
    expect(chooseThumbnails(points, far, new Set(), WHOLE, SIZE)).toEqual([]);
    const camera = { x: 0, y: 0, zoom: 6 };
    const near = inView(points, camera, SIZE, all);
    expect(near.length).toBeLessThan(count);
    const chosen = chooseThumbnails(points, near, new Set(), camera, SIZE);
    expect(chosen.length).toBeGreaterThan(20);
    expect(chosen.length).toBeLessThanOrEqual(MOST_THUMBNAILS);
    const side = thumbnailSide(camera.zoom, SIZE);
    const spots = chosen.map((at) => toScreen({ x: points.x[at] ?? 0, y: points.y[at] ?? 0 }, camera, SIZE));
    spots.forEach((one, at) => {
      for (const other of spots.slice(at + 1))
        expect(Math.max(Math.abs(one.x - other.x), Math.abs(one.y - other.y))).toBeGreaterThanOrEqual(side);
    });
  });

  test('those that are there stay when one pans a little', () => {
    const camera = { x: 0, y: 0, zoom: 6 };
    const before = chooseThumbnails(points, inView(points, camera, SIZE, all), new Set(), camera, SIZE);
    const moved = panned(camera, 15, 10, SIZE);
    const visible = inView(points, moved, SIZE, all);
    const after = new Set(chooseThumbnails(points, visible, new Set(before), moved, SIZE));
    const still = before.filter((at) => visible.includes(at));
    expect(still.filter((at) => after.has(at)).length).toBe(still.length);
  });
});

test('a table of a selection opens in a spreadsheet, and runs nothing there', () => {
  const text = csv(
    ['id', 'key', 'x'],
    [
      ['1', 'cats, "big"/1.jpg', -0.5],
      ['2', '=cmd()', 1],
    ],
  );
  expect(text).toBe('id,key,x\r\n1,"cats, ""big""/1.jpg",-0.5\r\n2,\'=cmd(),1\r\n');
});

test('a search by many takes some from all over the selection', () => {
  expect(spread([1, 2, 3], 50)).toEqual([1, 2, 3]);
  const some = spread([...Array(1000).keys()], 50);
  expect(new Set(some).size).toBe(50);
  expect(some.at(-1)).toBeGreaterThan(950);
});

describe('the words', () => {
  const progress = { step: 'optimizing' as const, iteration: 250, iterations: 750, kl_divergence: 1.834 };

  test('of progress', () => {
    expect(progressWords('queued', null)).toBe('Waiting for its turn');
    expect(progressWords('running', progress)).toBe('Arranging the map');
    expect(progressFigures(progress)).toBe('iteration 250 of 750, KL divergence 1.83');
    expect(progressFigures({ ...progress, kl_divergence: null })).toBe('iteration 250 of 750');
    expect(progressFigures({ ...progress, step: 'vectors' })).toBe('');
    expect(progressShare(progress)).toBeCloseTo(1 / 3);
    expect(progressShare(null)).toBeNull();
  });

  test('of separation', () => {
    expect(agreementWords({ knn_agreement: 0.94 })).toBe(
      '94 % of the ten nearest neighbours of a picture carry its own label.',
    );
    expect(silhouetteWords({ silhouette: -0.2 })).toContain('\u22120.20');
  });

  test('of what a map shows', () => {
    const request = {
      labels: [],
      folders: [],
      after: null,
      before: null,
      filters: {},
      ids: 0,
      upload: false,
      per_label: 0,
    };
    const asked = (more: object) =>
      mapTitle({ request: { ...request, sample: 1, perplexity: 30, ...more }, total: 9 });
    expect(asked({})).toBe('The whole collection');
    expect(asked({ labels: ['hot_air', 'cats'] })).toBe('hot air, cats');
    expect(asked({ labels: ['a', 'b', 'c', 'd', 'e'] })).toBe('a, b, c and 2 more');
    expect(asked({ filters: { not_camera: ['scanner'] } })).toBe('not_camera: scanner');
    expect(asked({ ids: 12 })).toBe('12 chosen pictures');
    expect(asked({ upload: true })).toBe('Uploaded pictures');
  });
});

test('the form asks for whole days, and for folders without slashes around them', () => {
  const filter = { labels: new Set(['cats']), folder: '/a/b/', from: '2024-05-01', to: '2024-05-31' };
  const request = requestOf({ ...filter, sample: 500, perplexity: 20 });
  expect(request.labels).toEqual(['cats']);
  expect(request.folders).toEqual(['a/b']);
  expect(request.before).toBe('2024-06-01');
  const labels = [
    { label: 'hot_air-balloon', count: 3 },
    { label: 'cats', count: 2 },
  ];
  expect(matching(labels, 'Balloon hot').map(({ label }) => label)).toEqual(['hot_air-balloon']);
});

test('WebGL gets x and y of each point in pairs', () => {
  const points = { ids: ['a', 'b'], x: [1, 2], y: [3, 4], label: [], cluster: [], new: [] };
  expect([...positionsOf(points)]).toEqual([1, 3, 2, 4]);
});

describe('points since a version that is known', () => {
  const known = {
    ids: ['a', 'b'],
    x: [0, 1],
    y: [0, 1],
    label: [0, 1],
    cluster: [-1, -1],
    new: [false, false],
  };

  test('stay as they are where nothing changed', () => {
    expect(mergePoints(known, null)).toBe(known);
    expect(mergePoints(null, null)).toBeNull();
  });

  test('move where only coordinates changed; the other columns stay the same arrays', () => {
    const told = { ids: null, x: [2, 3], y: [4, 5], label: null, cluster: null, new: null };
    const merged = mergePoints(known, told);
    expect(merged).toEqual({ ...known, x: [2, 3], y: [4, 5] });
    expect(merged?.label).toBe(known.label);
  });

  test('are replaced where all of them came', () => {
    const told = { ...known, ids: ['c', 'd'], cluster: [0, 1] };
    expect(mergePoints(known, told)).toEqual(told);
    expect(mergePoints(null, told)).toEqual(told);
  });
});
