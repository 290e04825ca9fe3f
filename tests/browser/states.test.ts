import { expect, test } from 'vitest';
import { base, bestFive, notice, problem, searchBox, sourceChip, startTiles, useBrowser } from './page';

const open = useBrowser();
const SEARCH = '**/api/v1/search?*';
const NOTHING = {
  query: {},
  model: null,
  results: [],
  timings: { encode_ms: 0, search_ms: 0, cluster_ms: 0, total_ms: 1 },
};
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

test('while a search is on its way its place is held, and nothing jumps when it arrives', async () => {
  const { page } = await open('');
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(SEARCH, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`${base()}/?q=a+bird`);
  await page.getByTestId('skeleton').waitFor();
  const heading = page.getByRole('heading', { level: 1 });
  const before = await heading.boundingBox();
  release();
  await bestFive(page).first().waitFor();
  expect(await page.getByTestId('skeleton').count()).toBe(0);
  expect((await heading.boundingBox())?.y).toBe(before?.y);
});

test('without an encoder it says so, and a second try succeeds', async () => {
  const { page } = await open('');
  let down = true;
  await page.route(SEARCH, (route) =>
    down
      ? route.fulfill(
          problem('encoder-unavailable', 503, 'no encoder answers at 127.0.0.1:50051', {
            'retry-after': '60',
          }),
        )
      : route.continue(),
  );
  await page.goto(`${base()}/?q=a+bird`);
  await notice(page).getByRole('heading', { name: 'The model is not running' }).waitFor();
  expect(await notice(page).innerText()).toContain('no encoder answers at 127.0.0.1:50051');
  down = false;
  await notice(page).getByRole('button', { name: 'Try again' }).click();
  await bestFive(page).first().waitFor();
});

test('without the gateway it says so, and the start is still there', async () => {
  const { page } = await open('/');
  await startTiles(page).first().waitFor();
  await page.route('**/api/**', (route) => route.abort('connectionrefused'));
  await searchBox(page).fill('a cat');
  await searchBox(page).press('Enter');
  await notice(page).getByRole('heading', { name: 'Sightline does not answer' }).waitFor();
  await page.goBack();
  await startTiles(page).first().waitFor();
});

test('when the gateway is busy the page waits as long as it is told and asks again by itself', async () => {
  const { page } = await open('');
  let asked = 0;
  let seen = () => {};
  const noticed = new Promise<void>((resolve) => (seen = resolve));
  await page.route(SEARCH, async (route) => {
    asked += 1;
    if (asked === 1)
      return route.fulfill(problem('overloaded', 429, 'The queue is full.', { 'retry-after': '1' }));
    await noticed;
    return route.continue();
  });
  await page.goto(`${base()}/?q=a+bird`);
  await notice(page).getByRole('heading', { name: 'Many searches at once' }).waitFor();
  seen();
  await bestFive(page).first().waitFor();
  expect(asked).toBe(2);
});

test('an answer that is no JSON is not shown as a page of code', async () => {
  const { page } = await open('');
  await page.route(SEARCH, (route) =>
    route.fulfill({ status: 500, body: 'Traceback (most recent call last)' }),
  );
  await page.goto(`${base()}/?q=a+bird`);
  await notice(page).getByRole('heading', { name: 'Something went wrong' }).waitFor();
  expect(await page.locator('body').innerText()).not.toContain('Traceback');
});

test('an empty collection invites pictures', async () => {
  const { page } = await open('');
  await page.route('**/api/v1/ingest', (route) => route.fulfill({ json: EMPTY }));
  await page.route('**/api/v1/images?*', (route) => route.fulfill({ json: { images: [], cursor: null } }));
  await page.route('**/api/v1/stats', (route) => route.fulfill({ json: { images: {}, labels: [] } }));
  await page.route(SEARCH, (route) => route.fulfill({ json: NOTHING }));
  await page.goto(base());
  await notice(page).getByRole('heading', { name: 'No pictures yet' }).waitFor();
  await notice(page).getByRole('button', { name: 'Choose pictures' }).waitFor();
  await searchBox(page).fill('a cat');
  await searchBox(page).press('Enter');
  await notice(page).getByText('The collection is empty').waitFor();
});

test('a collection that is being read says how far it is, and fills by itself', async () => {
  const { page } = await open('');
  let ready = false;
  await page.route('**/api/v1/ingest', (route) =>
    ready ? route.continue() : route.fulfill({ json: { ...EMPTY, pending: 12 } }),
  );
  await page.route('**/api/v1/images?*', (route) =>
    ready ? route.continue() : route.fulfill({ json: { images: [], cursor: null } }),
  );
  await page.goto(base());
  await notice(page).getByText('12 pictures wait to be indexed').waitFor();
  ready = true;
  await startTiles(page).first().waitFor();
});

test('a search that finds nothing says what to do', async () => {
  const { page } = await open('');
  await page.route(SEARCH, (route) => route.fulfill({ json: NOTHING }));
  await page.goto(`${base()}/?q=zzz`);
  await notice(page).getByRole('heading', { name: 'Nothing was found' }).waitFor();
});

test('a picture that is gone, or was given on another device, says so', async () => {
  const { page } = await open('/?like=00000000-0000-4000-8000-00000000dead');
  await notice(page).getByRole('heading', { name: 'This picture is no longer here' }).waitFor();
  await page.goto(`${base()}/?image=never-kept`);
  await notice(page)
    .getByRole('heading', {
      name: 'The picture of this search is on another device',
    })
    .waitFor();
  await sourceChip(page).waitFor();
});

test('what the collection does not hold is said, above the nearest that there is', async () => {
  const { page } = await open('');
  await page.route(SEARCH, async (route) => {
    const answer = await route.fetch();
    const json = await answer.json();
    const message = 'Nothing here looks like a squid.';
    await route.fulfill({
      response: answer,
      json: { ...json, relevance: { found: false, threshold: 0.9, relevant: 0, message } },
    });
  });
  await page.goto(`${base()}/?q=a+squid`);
  const doubt = page.getByTestId('doubt');
  await doubt.getByText('Nothing here looks like a squid.').waitFor();
  expect(await bestFive(page).count()).toBe(5);
  const [above, below] = [await doubt.boundingBox(), await bestFive(page).first().boundingBox()];
  expect(above?.y).toBeLessThan(below?.y ?? 0);
});

test('a slow answer is said to be on its way', async () => {
  const { page } = await open('');
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(SEARCH, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`${base()}/?q=a+bird`);
  await page.getByTestId('slow').waitFor();
  release();
  await bestFive(page).first().waitFor();
  expect(await page.getByTestId('slow').count()).toBe(0);
});

test('an address that leads nowhere says so, with status 404, and leads back', async () => {
  const { page } = await open('');
  const answer = await page.goto(`${base()}/no/such/page`);
  expect(answer?.status()).toBe(404);
  await notice(page).getByRole('heading', { name: 'There is no such page' }).waitFor();
  expect(await notice(page).innerText()).toContain('/no/such/page');
  expect(await page.title()).toBe('Not found · Sightline');
  await notice(page).getByRole('link', { name: 'Back to the start' }).click();
  await startTiles(page).first().waitFor();
  await page.goBack();
  await notice(page).getByRole('heading', { name: 'There is no such page' }).waitFor();
});
