/** A browser for a file of tests, a fresh context for each test, and the words that tests share. */
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const base = (): string => {
  const url = process.env.PAGE_URL;
  if (!url) throw new Error('PAGE_URL is not set');
  return url.replace(/\/$/, '');
};

export interface Opened {
  page: Page;
  /** What the console called an error, refused by the page's policy included. */
  errors: string[];
}

/** Registers the browser with the file that calls it; returns what opens a page in a context of its own. */
export function useBrowser(): (path: string, options?: BrowserContextOptions) => Promise<Opened> {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ARGUMENTS,
    });
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
  });
  afterAll(async () => {
    await browser.close();
  });
  return async (path, options = {}) => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    if (path) await page.goto(base() + path);
    return { page, errors };
  };
}

export const searchBox = (page: Page): Locator => page.getByRole('searchbox', { name: 'What to look for' });
export const bestFive = (page: Page): Locator =>
  page.getByRole('list', { name: /^The best \d/ }).locator('a[data-tile]');
/** The lists of the grid below the best five: the likely ones, and those that are less likely. */
export const restLists = (page: Page): Locator =>
  page.getByRole('list', { name: /^The next \d|^\d+ less likely$/ });
export const theRest = (page: Page): Locator => restLists(page).locator('a[data-tile]');
export const graph = (page: Page): Locator => page.getByTestId('graph');
export const graphCard = (page: Page): Locator => page.getByTestId('graph-card');
export const graphLinks = (page: Page): Locator =>
  page.getByRole('list', { name: 'The graph: groups and their pictures' }).getByRole('link');
export const breadcrumbs = (page: Page): Locator =>
  page.getByRole('navigation', { name: 'Breadcrumbs' }).getByRole('link');
export const startTiles = (page: Page): Locator =>
  page.getByRole('list', { name: 'Pictures of the collection' }).locator('a[data-tile]');
export const sourceChip = (page: Page): Locator => page.getByTestId('source');
export const notice = (page: Page): Locator => page.getByTestId('notice');
export const announcement = (page: Page): Locator => page.getByTestId('announcer');

export async function searchFor(page: Page, text: string): Promise<void> {
  await searchBox(page).fill(text);
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await bestFive(page).first().waitFor();
}

/** A parameter of the address, read in the page, where it changes at once: `page.url()` follows later. */
export const parameter = (page: Page, name: string): Promise<string | null> =>
  page.evaluate((key) => new URLSearchParams(location.search).get(key), name);

/** Waits until the graph stands still, its camera too, with all of it in sight. */
export async function settledGraph(page: Page): Promise<void> {
  await page.locator('[data-testid="graph"][data-settled="true"]').waitFor();
  const moving = () =>
    page
      .locator('.canvas')
      .evaluate((canvas) => (canvas as unknown as { sigma: Drawn }).sigma.getCamera().isAnimated());
  await expect.poll(moving).toBe(false);
  await page.locator('.sigma-mouse').evaluate((canvas) => canvas.scrollIntoView({ block: 'center' }));
}

interface Drawn {
  getGraph(): { nodes(): string[]; edges(): string[] };
  getNodeDisplayData(id: string): { x: number; y: number; hidden: boolean } | undefined;
  getEdgeDisplayData(id: string): { size: number; color: string; hidden: boolean } | undefined;
  framedGraphToViewport(place: { x: number; y: number }): { x: number; y: number };
  getCamera(): { getState(): { x: number; y: number; ratio: number }; isAnimated(): boolean };
}

/** What the graph has drawn: where each picture is on the screen, and how its edges look. */
export function drawn(page: Page) {
  return page.locator('.canvas').evaluate((element) => {
    const { sigma } = element as unknown as { sigma: Drawn };
    const box = element.getBoundingClientRect();
    const graph = sigma.getGraph();
    const nodes = graph.nodes().flatMap((id) => {
      const data = sigma.getNodeDisplayData(id);
      if (!data) return [];
      const { x, y } = sigma.framedGraphToViewport(data);
      return [{ id, x: box.x + x, y: box.y + y, hidden: data.hidden }];
    });
    const edges = graph.edges().flatMap((id) => sigma.getEdgeDisplayData(id) ?? []);
    return { nodes, edges, camera: sigma.getCamera().getState() };
  });
}

/** Where on the screen the graph has a picture. */
export async function placeOf(page: Page, id: string): Promise<{ x: number; y: number }> {
  const place = (await drawn(page)).nodes.find((node) => node.id === id);
  if (!place) throw new Error(`the graph has no ${id}`);
  return place;
}

/** The similarities of tiles, in the order of the page, out of their accessible names. */
export async function similarities(tiles: Locator): Promise<number[]> {
  const names = await tiles.evaluateAll((links) =>
    links.map((link) => link.getAttribute('aria-label') ?? ''),
  );
  return names.map((name) => Number(/similarity ([^\s:,]+)/.exec(name)?.[1]?.replace('\u2212', '-')));
}

export async function ids(tiles: Locator): Promise<string[]> {
  return tiles.evaluateAll((links) => links.map((link) => (link as HTMLElement).dataset.tile ?? ''));
}

/** The id of the tile that has the focus; null where none has. */
export async function focusedTile(page: Page): Promise<string | null> {
  return page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.tile ?? null);
}

/** An error as the gateway sends it. */
export function problem(kind: string, status: number, detail: string, headers: Record<string, string> = {}) {
  return {
    status,
    headers,
    contentType: 'application/problem+json',
    body: JSON.stringify({
      type: `urn:sightline:problem:${kind}`,
      title: kind,
      status,
      detail,
    }),
  };
}

/** What the gateway answers a text, in its order: ids, and similarities as they are shown. */
export async function answered(page: Page, text: string): Promise<{ ids: string[]; similarities: number[] }> {
  const response = await page.request.get(`${base()}/api/v1/search?limit=50&q=${encodeURIComponent(text)}`);
  const { results } = (await response.json()) as { results: { id: string; similarity: number }[] };
  return {
    ids: results.map((result) => result.id),
    similarities: results.map((result) => Number(result.similarity.toFixed(2))),
  };
}
