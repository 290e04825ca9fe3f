import { expect, test } from 'vitest';
import {
  base,
  bestFive,
  breadcrumbs,
  drawn,
  graph,
  graphCard,
  graphLinks,
  ids,
  parameter,
  placeOf,
  restLists,
  settledGraph,
  sourceChip,
  startTiles,
  useBrowser,
} from './page';

const open = useBrowser();
const QUERY = 'query';
const SEARCH = '**/api/v1/search?*';
const STILL = { reducedMotion: 'reduce' } as const;

const groups = (page: Parameters<typeof graph>[0]) => graph(page).getByRole('button', { pressed: true });

test('the fifty are a graph: the query, its pictures, their clusters by name, and edges', async () => {
  const { page, errors } = await open('/?q=a+bird', STILL);
  await settledGraph(page);
  const { nodes, edges } = await drawn(page);
  expect(nodes.map(({ id }) => id)).toContain(QUERY);
  expect(nodes.length).toBe(51);
  expect(edges.length).toBeGreaterThan(60);
  const five = await ids(bestFive(page));
  expect(nodes.map(({ id }) => id)).toEqual(expect.arrayContaining(five));
  expect(await graphLinks(page).count()).toBe(50);
  const names = await graph(page).locator('.legend li .name').allInnerTexts();
  expect(names.length).toBeGreaterThan(1);
  expect(names.every((name) => name.trim().length > 1)).toBe(true);
  expect(errors).toEqual([]);
});

test('the query is in the middle, and better edges are thicker and paler', async () => {
  const { page } = await open('/?q=a+bird', STILL);
  await settledGraph(page);
  const { nodes, edges } = await drawn(page);
  const box = await page.locator('.canvas').boundingBox();
  const middle = nodes.find(({ id }) => id === QUERY);
  expect(middle?.x).toBeCloseTo((box?.x ?? 0) + (box?.width ?? 0) / 2, -1);
  expect(middle?.y).toBeCloseTo((box?.y ?? 0) + (box?.height ?? 0) / 2, -1);
  const [thinnest, thickest] = [...edges]
    .sort((a, b) => a.size - b.size)
    .filter((_, at, { length }) => at % (length - 1) === 0);
  const channels = (color = '#000000') => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  const spread = (color?: string) => Math.max(...channels(color)) - Math.min(...channels(color));
  for (const edge of [thinnest, thickest]) {
    const [red, green, blue] = channels(edge?.color) as [number, number, number];
    expect(green).toBeGreaterThan(red);
    expect(green).toBeGreaterThan(blue);
  }
  expect(spread(thickest?.color) / Math.max(...channels(thickest?.color))).toBeLessThan(
    spread(thinnest?.color) / Math.max(...channels(thinnest?.color)),
  );
  await graph(page).getByText('Thicker and paler: more alike.').waitFor();
});

test('the graph comes to a standstill, and stays so', async () => {
  const { page } = await open('');
  await page.addInitScript(() => {
    const seen: { opened?: number; settled?: number } = {};
    Object.assign(window, { seen });
    new MutationObserver(() => {
      const panel = document.querySelector('[data-testid="graph"]');
      const drawing = panel?.querySelector('.sigma-mouse');
      if (drawing) seen.opened ??= performance.now();
      if (panel?.getAttribute('data-settled') === 'true') seen.settled ??= performance.now();
    }).observe(document, { subtree: true, childList: true, attributes: true });
  });
  await page.goto(`${base()}/?q=a+bird`);
  await settledGraph(page);
  const { opened = 0, settled = 0 } = await page.evaluate(
    () => (window as unknown as { seen: { opened?: number; settled?: number } }).seen,
  );
  expect(settled).toBeGreaterThan(opened);
  const before = (await drawn(page)).nodes.map(({ x, y }) => [Math.round(x), Math.round(y)]);
  // A layout that went on would move something in these frames.
  await page.evaluate(
    () =>
      new Promise<void>((done) => {
        let frames = 40;
        const next = () => ((frames -= 1) > 0 ? requestAnimationFrame(next) : done());
        requestAnimationFrame(next);
      }),
  );
  expect((await drawn(page)).nodes.map(({ x, y }) => [Math.round(x), Math.round(y)])).toEqual(before);
});

test('a picture that is pointed at is shown large with its similarity, and its edges light up', async () => {
  const { page } = await open('/?q=a+bird', STILL);
  await settledGraph(page);
  const [first = ''] = await ids(bestFive(page));
  const colors = new Set((await drawn(page)).edges.map(({ color }) => color));
  const { x, y } = await placeOf(page, first);
  await page.mouse.move(x, y);
  await graphCard(page).waitFor();
  expect(await graphCard(page).innerText()).toMatch(/0\.\d\d/);
  const image = graphCard(page).locator('img');
  await expect
    .poll(() => image.evaluate((each) => (each as HTMLImageElement).naturalWidth))
    .toBeGreaterThan(0);
  expect((await image.boundingBox())?.width).toBeGreaterThan(200);
  const lit = (await drawn(page)).edges.filter(({ color }) => colors.has(color));
  const all = (await drawn(page)).edges;
  expect(lit.length).toBeGreaterThan(0);
  expect(lit.length).toBeLessThan(all.length / 2);
  await page.mouse.move(5, 5);
  await graphCard(page).waitFor({ state: 'detached' });
});

test('a click searches for more like the picture, and breadcrumbs lead back', async () => {
  const { page } = await open('/?q=a+bird', STILL);
  await settledGraph(page);
  const [, second = ''] = await ids(bestFive(page));
  let place = await placeOf(page, second);
  await page.mouse.click(place.x, place.y);
  await sourceChip(page).waitFor();
  expect(await parameter(page, 'like')).toBe(second);
  await expect.poll(() => breadcrumbs(page).count()).toBe(1);
  await expect.poll(() => bestFive(page).first().isVisible()).toBe(true);

  await expect.poll(async () => (await drawn(page)).nodes.some(({ id }) => id === second)).toBe(false);
  await settledGraph(page);
  const [next = ''] = await ids(bestFive(page));
  place = await placeOf(page, next);
  await page.mouse.click(place.x, place.y);
  await expect.poll(() => parameter(page, 'like')).toBe(next);
  await expect.poll(() => breadcrumbs(page).count()).toBe(2);

  await breadcrumbs(page).first().click();
  await expect.poll(() => page.evaluate(() => location.search)).toBe('?q=a+bird');
  await expect.poll(() => breadcrumbs(page).count()).toBe(0);
  await page.goBack();
  await expect.poll(() => breadcrumbs(page).count()).toBe(2);
  await page.reload();
  await expect.poll(() => breadcrumbs(page).count()).toBe(2);
});

test('a slider hides edges below a similarity, and the address holds it', async () => {
  const { page } = await open('/?q=a+bird', STILL);
  await settledGraph(page);
  const shown = async () => (await drawn(page)).edges.filter(({ hidden }) => !hidden).length;
  const all = await shown();
  const slider = graph(page).getByRole('slider', { name: /^Hide lines below/ });
  const middle = await slider.evaluate((input) => {
    const { min, max } = input as HTMLInputElement;
    return ((Number(min) + Number(max)) / 2).toFixed(2);
  });
  await slider.fill(middle);
  await expect.poll(shown).toBeLessThan(all);
  const fewer = await shown();
  expect(Number(await parameter(page, 'least'))).toBeCloseTo(Number(middle), 1);
  await page.reload();
  await settledGraph(page);
  expect(await shown()).toBe(fewer);
  await slider.focus();
  await page.keyboard.press('Home');
  await expect.poll(shown).toBe(all);
  expect(await parameter(page, 'least')).toBeNull();
});

test('a cluster is hidden and shown by its name; back, forward and a shared link keep it', async () => {
  const { page } = await open('/?q=a+bird', STILL);
  await settledGraph(page);
  const shown = async () => (await drawn(page)).nodes.filter(({ hidden }) => !hidden).length;
  await graph(page).locator('.legend li button').first().click();
  await expect.poll(shown).toBeLessThan(51);
  const fewer = await shown();
  expect(await graphLinks(page).count()).toBe(fewer - 1);
  const link = await page.evaluate(() => location.href);
  expect(new URL(link).searchParams.get('hide')).toBe('0');
  await page.goBack();
  await expect.poll(shown).toBe(51);
  await page.goForward();
  await expect.poll(shown).toBe(fewer);
  await page.goto('about:blank');
  await page.goto(link);
  await settledGraph(page);
  expect(await shown()).toBe(fewer);
  await graph(page).locator('.legend li button').first().click();
  await expect.poll(shown).toBe(51);
  expect(await groups(page).count()).toBeGreaterThan(1);
});

test('it is panned, zoomed by button and by wheel with Ctrl, and reset; the wheel alone scrolls', async () => {
  const { page } = await open('/?q=a+bird', STILL);
  await settledGraph(page);
  const camera = async () => (await drawn(page)).camera;
  const home = await camera();
  await graph(page).getByRole('button', { name: 'Zoom in' }).click();
  await expect.poll(async () => (await camera()).ratio).toBeLessThan(home.ratio);
  await graph(page).getByRole('button', { name: 'Zoom out' }).click();
  await expect.poll(async () => (await camera()).ratio).toBeCloseTo(home.ratio, 3);

  const box = await page.locator('.canvas').boundingBox();
  const [x, y] = [(box?.x ?? 0) + 12, (box?.y ?? 0) + (box?.height ?? 0) - 20];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 120, y - 60, { steps: 4 });
  await page.mouse.up();
  await expect.poll(async () => (await camera()).x).not.toBeCloseTo(home.x, 3);
  await graph(page).getByRole('button', { name: 'Reset the view' }).click();
  await expect.poll(async () => (await camera()).x).toBeCloseTo(home.x, 3);

  const scrolled = () => page.evaluate(() => scrollY);
  const before = await scrolled();
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, -120);
  await expect.poll(scrolled).toBeLessThan(before);
  expect((await camera()).ratio).toBeCloseTo(home.ratio, 3);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -120);
  await page.keyboard.up('Control');
  await expect.poll(async () => (await camera()).ratio).toBeLessThan(home.ratio);
});

test('it fills the screen', async () => {
  const { page } = await open('/?q=a+bird', STILL);
  await settledGraph(page);
  await graph(page).getByRole('button', { name: 'Full screen' }).click();
  await expect
    .poll(() => page.evaluate(() => document.fullscreenElement?.getAttribute('data-testid')))
    .toBe('graph');
  await graph(page).getByRole('button', { name: 'Full screen', pressed: true }).click();
  await expect.poll(() => page.evaluate(() => document.fullscreenElement)).toBeNull();
});

test('it is saved as a PNG, with the pictures in it', async () => {
  const { page } = await open('/?q=a+bird', STILL);
  await settledGraph(page);
  const coming = page.waitForEvent('download');
  await graph(page).getByRole('button', { name: 'Save as PNG' }).click();
  const file = await coming;
  expect(file.suggestedFilename()).toBe('sightline-a-bird.png');
  const chunks: Buffer[] = [];
  for await (const chunk of await file.createReadStream()) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  const box = await page.locator('.canvas').boundingBox();
  expect(bytes.readUInt32BE(16)).toBe(Math.round((box?.width ?? 0) * 2));
  // Each picture's own colours: around a node, the saved graph has many, and not one flat disc.
  const [first = ''] = await ids(bestFive(page));
  const place = await placeOf(page, first);
  const colors = await page.evaluate(
    async ([data, x, y]) => {
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [50, 50];
      const context = canvas.getContext('2d');
      context?.drawImage(image, x - 25, y - 25, 50, 50, 0, 0, 50, 50);
      const pixels = new Uint32Array(context?.getImageData(0, 0, 50, 50).data.buffer ?? new ArrayBuffer(0));
      return new Set(pixels).size;
    },
    [bytes.toString('base64'), (place.x - (box?.x ?? 0)) * 2, (place.y - (box?.y ?? 0)) * 2] as const,
  );
  expect(colors).toBeGreaterThan(100);
});

test('by keyboard alone: arrows go to the nearest that way, Space shows large, Enter searches', async () => {
  const { page } = await open('/?q=a+bird', STILL);
  await settledGraph(page);
  expect(await page.locator('[data-node][tabindex="0"]').count()).toBe(1);
  await page.locator('[data-node][tabindex="0"]').focus();
  await graphCard(page).waitFor();
  const focused = () =>
    page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.node ?? null);
  const from = (await focused()) ?? '';
  let moved = '';
  for (const [key, axis, way] of [
    ['ArrowRight', 'x', 1],
    ['ArrowLeft', 'x', -1],
    ['ArrowDown', 'y', 1],
    ['ArrowUp', 'y', -1],
  ] as const) {
    const before = (await focused()) ?? '';
    await page.keyboard.press(key);
    const after = (await focused()) ?? '';
    if (after === before) continue;
    moved = after;
    const [one, other] = [await placeOf(page, before), await placeOf(page, after)];
    expect((other[axis] - one[axis]) * way).toBeGreaterThan(0);
  }
  expect(moved).toBeTruthy();
  await page.keyboard.press('Home');
  expect(await focused()).toBe((await ids(bestFive(page)))[0]);
  await page.keyboard.press(' ');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await expect.poll(focused).toBe((await ids(bestFive(page)))[0]);
  expect(from).toBeTruthy();
  await page.keyboard.press('Enter');
  await sourceChip(page).waitFor();
});

test('on a phone, a touch shows the picture and leads on', async () => {
  const { page } = await open('/?q=a+bird', {
    ...STILL,
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  await settledGraph(page);
  const [first = ''] = await ids(bestFive(page));
  const { x, y } = await placeOf(page, first);
  await page.touchscreen.tap(x, y);
  await graphCard(page).waitFor();
  expect(await parameter(page, 'like')).toBeNull();
  await graphCard(page).getByRole('button', { name: 'More like this' }).click();
  await expect.poll(() => parameter(page, 'like')).toBe(first);
  // The legend is folded away until it is asked for.
  const group = graph(page).locator('.legend li button').first();
  expect(await group.isVisible()).toBe(false);
  await graph(page).locator('summary').click();
  await group.waitFor();
});

test('its code comes when it is first opened', async () => {
  const { page } = await open('');
  const scripts: string[] = [];
  page.on('request', (request) => request.resourceType() === 'script' && scripts.push(request.url()));
  await page.goto(base());
  await startTiles(page).first().waitFor();
  expect(scripts.filter((url) => /GraphView|MapPage/.test(url))).toEqual([]);
  await page.goto(`${base()}/?q=a+bird`);
  await settledGraph(page);
  expect(scripts.filter((url) => /GraphView/.test(url)).length).toBe(1);
});

test('one result is a graph of one', async () => {
  const { page, errors } = await open('', STILL);
  await page.route(SEARCH, async (route) => {
    const answer = await route.fetch();
    const json = await answer.json();
    const [only] = json.results;
    await route.fulfill({
      response: answer,
      json: {
        ...json,
        results: [{ ...only, cluster: 0 }],
        clusters: [{ ...json.clusters[0], id: 0, size: 1, best_id: only.id }],
        edges: [{ source: QUERY, target: only.id, similarity: only.similarity }],
      },
    });
  });
  await page.goto(`${base()}/?q=a+bird`);
  await settledGraph(page);
  expect((await drawn(page)).nodes.length).toBe(2);
  expect(errors).toEqual([]);
});

test('a browser without WebGL is told so, and has grid and table', async () => {
  const { page } = await open('');
  await page.addInitScript(() => {
    const original = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (
      this: HTMLCanvasElement,
      kind: string,
      ...rest: unknown[]
    ) {
      return kind.includes('webgl') ? null : Reflect.apply(original, this, [kind, ...rest]);
    } as typeof original;
  });
  await page.goto(`${base()}/?q=a+bird`);
  await page.getByRole('heading', { name: 'This browser cannot draw the graph' }).waitFor();
  await page.getByRole('button', { name: 'Show the grid' }).click();
  await restLists(page).first().waitFor();
});
