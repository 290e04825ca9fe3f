// Pictures every view of the page at two widths, light and dark, into data/screenshots.
// `npm run screenshots`; PAGE_URL for a running Sightline, ONLY=graph,picture for some views, OUT for another folder.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPage, launch } from './browser.mjs';

const OUT = process.env.OUT ?? fileURLToPath(new URL('../../../data/screenshots', import.meta.url));
const SIZES = {
  desktop: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};
const SEARCH = '**/api/v1/search?*';
const EMPTY = {
  pending: 0,
  indexed: 0,
  failed: 0,
  ignored: 0,
  queued: 0,
  scanning: false,
  last_scan_at: null,
  writable: true,
};
const NOTHING = {
  query: {},
  model: null,
  results: [],
  clusters: [],
  edges: [],
  relevance: null,
  timings: { encode_ms: 3, search_ms: 1, cluster_ms: 0, total_ms: 4 },
};

const problem = (type, status, detail) => ({
  status,
  contentType: 'application/problem+json',
  headers: { 'retry-after': '60' },
  body: JSON.stringify({ type: `urn:sightline:problem:${type}`, title: type, status, detail }),
});
const settled = (page) =>
  page.locator('[data-testid="graph"][data-settled="true"][data-complete="true"]').waitFor();
const best = (page) => page.getByRole('list', { name: /^The best \d/ }).waitFor();

async function toGraph(page) {
  await settled(page);
  await page.getByRole('tablist').evaluate((tabs) => {
    scrollTo(
      0,
      tabs.getBoundingClientRect().top + scrollY - document.querySelector('.top').offsetHeight - 12,
    );
  });
}

/** Points at, or on a phone touches, one of the best five in the graph. */
async function pointAt(page, rank, touch) {
  const place = await page.locator('.canvas').evaluate((element, at) => {
    const id = element.sigma.getGraph().nodes()[at + 1];
    const { x, y } = element.sigma.framedGraphToViewport(element.sigma.getNodeDisplayData(id));
    const box = element.getBoundingClientRect();
    return { x: box.x + x, y: box.y + y };
  }, rank);
  if (touch) await page.touchscreen.tap(place.x, place.y);
  else await page.mouse.move(place.x, place.y);
  await page.getByTestId('graph-card').waitFor();
}

async function aMap(page, url) {
  const answer = await page.request.post(`${url}/api/v1/maps`, { data: { sample: 2000 } });
  if (!answer.ok()) return null;
  const { id } = await answer.json();
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const state = await (await page.request.get(`${url}/api/v1/maps/${id}?points=false`)).json();
    if (state.state === 'done') return id;
    await page.waitForTimeout(500);
  }
  return null;
}

const VIEWS = {
  start: async (page, url) => {
    await page.goto(url);
    await page.getByRole('list', { name: 'Pictures of the collection' }).waitFor();
  },
  results: async (page, url) => {
    await page.goto(`${url}/?q=a+bird`);
    await settled(page);
  },
  graph: async (page, url) => {
    await page.goto(`${url}/?q=an+animal`);
    await toGraph(page);
  },
  'graph-pointed-at': async (page, url, touch) => {
    await page.goto(`${url}/?q=a+bird`);
    await toGraph(page);
    await pointAt(page, 2, touch);
  },
  'graph-breadcrumbs': async (page, url) => {
    await page.goto(`${url}/?q=a+bird`);
    for (let step = 0; step < 2; step += 1) {
      await best(page);
      await page
        .getByRole('list', { name: /^The best/ })
        .getByRole('link')
        .nth(step)
        .click();
      await page.getByRole('navigation', { name: 'Breadcrumbs' }).getByRole('link').nth(step).waitFor();
    }
    await settled(page);
  },
  grid: async (page, url) => {
    await page.goto(`${url}/?q=food&tab=grid`);
    await best(page);
  },
  table: async (page, url) => {
    await page.goto(`${url}/?q=a+vehicle&tab=table`);
    await page.getByRole('table').waitFor();
  },
  picture: async (page, url) => {
    await page.goto(`${url}/?q=a+bird&tab=grid`);
    await best(page);
    const link = page
      .getByRole('list', { name: /^The best/ })
      .getByRole('link')
      .nth(1);
    await page.goto(`${url}/?q=a+bird&tab=grid&view=${await link.getAttribute('data-tile')}`);
    await page.getByRole('dialog').getByRole('img').waitFor();
  },
  map: async (page, url) => {
    const id = await aMap(page, url);
    await page.goto(`${url}/?page=map${id ? `&map=${id}` : ''}`);
    await page.waitForTimeout(1500);
  },
  collection: async (page, url) => {
    await page.goto(`${url}/?page=collection`);
    await page.waitForTimeout(1000);
  },
  empty: async (page, url) => {
    await page.route('**/api/v1/ingest', (route) => route.fulfill({ json: EMPTY }));
    await page.route('**/api/v1/images?*', (route) => route.fulfill({ json: { images: [], cursor: null } }));
    await page.route('**/api/v1/stats', (route) => route.fulfill({ json: { images: {}, labels: [] } }));
    await page.goto(url);
    await page.getByTestId('notice').waitFor();
  },
  'no-results': async (page, url) => {
    await page.route(SEARCH, (route) => route.fulfill({ json: NOTHING }));
    await page.goto(`${url}/?q=a+squid`);
    await page.getByTestId('notice').waitFor();
  },
  'nothing-like-it': async (page, url) => {
    await page.route(SEARCH, async (route) => {
      const answer = await route.fetch();
      const relevance = {
        found: false,
        threshold: 0.9,
        relevant: 0,
        message: 'Nothing here looks like a squid.',
      };
      await route.fulfill({ response: answer, json: { ...(await answer.json()), relevance } });
    });
    await page.goto(`${url}/?q=a+squid`);
    await page.getByTestId('doubt').waitFor();
    await settled(page);
  },
  'encoder-down': async (page, url) => {
    const answer = problem('encoder-unavailable', 503, 'No encoder answers at 127.0.0.1:50051.');
    await page.route(SEARCH, (route) => route.fulfill(answer));
    await page.goto(`${url}/?q=a+bird`);
    await page.getByTestId('notice').waitFor();
  },
  slow: async (page, url) => {
    await page.route(SEARCH, () => {});
    await page.goto(`${url}/?q=a+bird`);
    await page.getByTestId('slow').waitFor();
  },
};

const only = process.env.ONLY?.split(',');
const { url, close } = await findPage();
const browser = await launch();
await mkdir(OUT, { recursive: true });
let failed = 0;
try {
  for (const [view, open] of Object.entries(VIEWS)) {
    if (only && !only.includes(view)) continue;
    for (const [size, options] of Object.entries(SIZES)) {
      for (const colorScheme of ['light', 'dark']) {
        const context = await browser.newContext({ ...options, colorScheme, reducedMotion: 'reduce' });
        const page = await context.newPage();
        page.setDefaultTimeout(30_000);
        try {
          await open(page, url, size === 'phone');
          await page.evaluate(() =>
            Promise.all(
              [...document.images]
                .filter((image) => image.getBoundingClientRect().top < innerHeight)
                .map((image) => image.decode().catch(() => {})),
            ),
          );
        } catch (error) {
          failed += 1;
          console.error(`${view} ${size} ${colorScheme}: ${String(error).split('\n')[0]}`);
        }
        // What fades in or out has done so.
        await page.waitForTimeout(500);
        await page.screenshot({ path: join(OUT, `${view}-${size}-${colorScheme}.png`) });
        await context.close();
      }
    }
    console.log(view);
  }
} finally {
  await browser.close();
  await close();
}
console.log(`screenshots are in ${OUT}`);
process.exit(failed > 0 ? 1 : 0);
