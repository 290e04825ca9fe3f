import { expect, test } from 'vitest';
import { state } from './database-states';
import { base, problem, startTiles, useBrowser } from './page';

const open = useBrowser();

test('the corner tells the real state and opens its figures', async () => {
  const { page } = await open('/');
  const corner = page.getByRole('button', {
    name: /^Collection: [\d,]+ indexed/,
  });
  await corner.waitFor();
  // Asked for anew each time: what other tests added or deleted may still be under way.
  await expect
    .poll(async () => {
      const real = (await (await fetch(`${base()}/api/v1/ingest`)).json()) as typeof state;
      return (await corner.innerText()).includes(real.indexed.toLocaleString('en'));
    })
    .toBe(true);
  await corner.click();
  const panel = page.getByRole('dialog', {
    name: 'The state of the collection',
  });
  await panel.waitFor();
  await expect.poll(() => panel.innerText()).toMatch(/Indexed/);
  await page.keyboard.press('Escape');
  await expect.poll(() => panel.isVisible()).toBe(false);
});

test('the corner follows pictures that wait until all are indexed', async () => {
  const { page } = await open('');
  let pending = 40;
  await page.route('**/api/v1/ingest', (route) =>
    route.fulfill({ json: { ...state, pending, indexed: 696 - pending } }),
  );
  await page.goto(base());
  await page.getByRole('button', { name: 'Collection: 656 indexed, 40 pending' }).waitFor();
  pending = 20;
  await page.getByRole('button', { name: 'Collection: 676 indexed, 20 pending' }).waitFor();
  pending = 0;
  await page.getByRole('button', { name: 'Collection: 696 indexed', exact: true }).waitFor();
});

test('a state that has not changed is not sent again', async () => {
  const { page } = await open('/');
  await page.getByRole('button', { name: /^Collection: [\d,]+ indexed/ }).waitFor();
  // What the browser has by now it asks for with its ETag; the services may change their state in between.
  const sizes = () =>
    page.evaluate(async () => {
      const answer = await fetch('/api/v1/ingest');
      const body = await answer.text();
      const entry = performance.getEntriesByName(answer.url).at(-1) as PerformanceResourceTiming;
      return { status: answer.status, received: entry.transferSize - 300, body: body.length };
    });
  await expect
    .poll(async () => {
      const { status, received, body } = await sizes();
      return status === 200 && body > 50 && received === 0;
    })
    .toBe(true);
});

test('failures are counted, and their reasons are one click away', async () => {
  const { page } = await open('');
  await page.route('**/api/v1/ingest', (route) => route.fulfill({ json: { ...state, failed: 2 } }));
  await page.route('**/api/v1/ingest/failures*', (route) =>
    route.fulfill({
      json: {
        failures: [
          {
            id: '1',
            key: 'a/cut-off.jpg',
            reason: 'truncated: 3 of 40 kB',
            attempts: 1,
            next_try_at: null,
          },
          {
            id: '2',
            key: 'b/notes.jpg',
            reason: 'not an image (text?)',
            attempts: 2,
            next_try_at: null,
          },
        ],
        cursor: null,
      },
    }),
  );
  await page.goto(base());
  await page.getByRole('button', { name: 'Collection: 696 indexed, 2 failed' }).click();
  const panel = page.getByRole('dialog', {
    name: 'The state of the collection',
  });
  await panel.getByText('a/cut-off.jpg').waitFor();
  await panel.getByText('not an image (text?)').waitFor();
});

test('the bucket can be scanned again', async () => {
  const { page } = await open('/');
  await startTiles(page).first().waitFor();
  await page.getByRole('button', { name: /^Collection: / }).click();
  const asked = page.waitForResponse((response) => response.url().endsWith('/api/v1/ingest/rescan'));
  await page.getByRole('button', { name: 'Scan again' }).click();
  expect((await asked).status()).toBe(202);
  await page.getByRole('button', { name: 'Scan requested' }).waitFor();
});

test('pictures that are indexed meanwhile are offered, and nothing moves before one asks', async () => {
  const { page } = await open('');
  let indexed = 690;
  await page.route('**/api/v1/ingest', (route) =>
    route.fulfill({ json: { ...state, indexed, pending: 696 - indexed } }),
  );
  await page.goto(base());
  await startTiles(page).first().waitFor();
  await page.getByRole('button', { name: 'Collection: 690 indexed, 6 pending' }).waitFor();
  indexed = 696;
  const show = page.getByRole('button', { name: 'Show 6 new' });
  await show.waitFor();
  await show.click();
  await show.waitFor({ state: 'detached' });
  await startTiles(page).first().waitFor();
});

test('while the catalogue is down the corner says so, and finds it back', async () => {
  const { page } = await open('');
  let down = true;
  await page.route('**/api/v1/ingest', (route) =>
    down
      ? route.fulfill(problem('catalogue-unavailable', 503, 'Qdrant does not answer.'))
      : route.fulfill({ json: state }),
  );
  await page.goto(base());
  await page.getByRole('button', { name: 'Collection: not ready' }).click();
  const panel = page.getByRole('dialog', { name: 'The state of the collection' });
  await panel.getByText('The catalogue does not answer').waitFor();
  down = false;
  await page.getByRole('button', { name: 'Collection: 696 indexed' }).waitFor();
});
