import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { graveViolations } from './accessibility';
import { drawPng, pngFile } from './drawing';
import { base, focusedTile, notice, parameter, problem, sourceChip, useBrowser } from './page';

const open = useBrowser();
/** The folder that the services under test watch; where it is not known, what needs it is left out. */
const BUCKET = process.env.BUCKET;

const state = {
  pending: 0,
  indexed: 538,
  failed: 0,
  ignored: 3,
  queued: 0,
  scanning: false,
  last_scan_at: '2026-11-24T08:00:00Z',
  writable: true,
};
const failures = [
  {
    id: '00000000-0000-4000-8000-000000000001',
    key: 'a/cut-off.jpg',
    reason: 'truncated',
    attempts: 1,
    next_try_at: null,
  },
  {
    id: '00000000-0000-4000-8000-000000000002',
    key: 'b/notes.jpg',
    reason: 'not an image (text?)',
    attempts: 2,
    next_try_at: null,
  },
];

const ingestStatus = (page: Page) => page.getByTestId('ingest-status');
const tiles = (page: Page) => page.locator('main a[data-tile]');
const boxes = (page: Page) => page.locator('main').getByRole('checkbox');

async function withState(page: Page, now: object): Promise<void> {
  await page.route('**/api/v1/ingest', (route) => route.fulfill({ json: { ...state, ...now } }));
}

async function failing(page: Page, now: object = { failed: 2 }): Promise<void> {
  await withState(page, now);
  await page.route('**/api/v1/ingest/failures*', (route) =>
    route.fulfill({ json: { failures, cursor: null } }),
  );
}

async function openCollection(page: Page, more = ''): Promise<void> {
  await page.goto(`${base()}/?page=collection${more}`);
  await tiles(page).first().waitFor();
}

test('what is left out is listed by kind, once it is asked for', async () => {
  const { page } = await open('');
  await withState(page, { ignored: 361 });
  let asked = 0;
  await page.route('**/api/v1/ingest/left-out', (route) => {
    asked += 1;
    const group = {
      kind: 'folder',
      name: '#snapshot',
      title: '41 in #snapshot',
      reason: 'made by a storage system',
    };
    const hidden = {
      kind: 'hidden',
      name: '',
      title: '2 hidden',
      reason: '',
      count: 2,
      at_least: false,
      examples: [],
    };
    const groups = [{ ...group, count: 41, at_least: false, examples: ['#snapshot/a.jpg'] }, hidden];
    return route.fulfill({ json: { scanned_at: state.last_scan_at, count: 361, groups } });
  });
  await openCollection(page);
  const list = page.getByTestId('left-out');
  await list.getByText('361 files are left out').waitFor();
  expect(asked).toBe(0);
  await list.locator('summary').click();
  await list.getByText('41 in #snapshot').waitFor();
  expect(await list.innerText()).toMatch(/made by a storage system\s+#snapshot\/a\.jpg, …/);
  expect(await list.getByRole('listitem').count()).toBe(2);
});

test('what is pending, indexed and failed is shown', async () => {
  const { page } = await open('');
  await openCollection(page);
  // Asked for anew each time: what other tests added or deleted may still be under way.
  await expect
    .poll(async () => {
      const real = (await (await fetch(`${base()}/api/v1/ingest`)).json()) as typeof state;
      return (await ingestStatus(page).innerText()).includes(real.indexed.toLocaleString('en'));
    })
    .toBe(true);
  for (const word of ['Indexed', 'Pending', 'Failed'])
    expect(await ingestStatus(page).innerText()).toContain(word);
});

test('while pictures wait their figures change by themselves', async () => {
  const { page } = await open('');
  await withState(page, { pending: 1000, indexed: 538 });
  await openCollection(page);
  await expect.poll(() => ingestStatus(page).innerText()).toContain('1,000');
  await withState(page, { pending: 41, indexed: 1497 });
  await expect.poll(() => ingestStatus(page).innerText()).toContain('1,497');
  expect(await ingestStatus(page).getByRole('progressbar').getAttribute('aria-valuenow')).toBe('97');
});

test('what failed is listed with its reason, and can be tried again: one, or all', async () => {
  const { page } = await open('');
  await failing(page);
  const asked: string[][] = [];
  await page.route('**/api/v1/ingest/rescan', (route) => {
    asked.push((route.request().postDataJSON() as { ids: string[] }).ids);
    return route.fulfill({ status: 202, json: { queued: true, retried: asked.at(-1)?.length } });
  });
  await openCollection(page);
  const list = page.getByTestId('failures');
  await list.getByText('a/cut-off.jpg').waitFor();
  await list.getByText('not an image (text?)').waitFor();
  await list.getByRole('button', { name: 'Retry b/notes.jpg' }).click();
  await expect.poll(() => asked).toEqual([[failures[1]?.id]]);
  await expect.poll(() => list.getByRole('button', { name: 'Retry all' }).isEnabled()).toBe(true);
  await list.getByRole('button', { name: 'Retry all' }).click();
  await expect.poll(() => asked.at(-1)).toEqual(failures.map(({ id }) => id));
});

test('a file that cannot be read fails with its reason, and is found after it was repaired and tried again', async (context) => {
  if (!BUCKET) return context.skip('BUCKET is not known');
  const { page } = await open('');
  const folder = join(BUCKET, 'browser-collection');
  const name = pngFile('broken').name;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), drawPng().subarray(0, 200));
  try {
    await openCollection(page);
    await ingestStatus(page).getByRole('button', { name: 'Scan again' }).click();
    const list = page.getByTestId('failures');
    await list.getByText(name).waitFor({ timeout: 40_000 });
    await writeFile(join(folder, name), drawPng());
    await list.getByRole('button', { name: new RegExp(`Retry .*${name}`) }).click();
    await expect.poll(() => list.getByText(name).count(), { timeout: 40_000 }).toBe(0);
    await page.goto(`${base()}/?page=collection&label=browser-collection`);
    await page.locator('main').getByRole('link', { name }).waitFor({ timeout: 40_000 });
  } finally {
    await rm(folder, { recursive: true, force: true });
    await fetch(`${base()}/api/v1/ingest/rescan`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
  }
});

test('pictures and folders are added with progress, selected, and deleted', async (context) => {
  const real = (await (await fetch(`${base()}/api/v1/ingest`)).json()) as typeof state;
  context.skip(!real.writable, 'the bucket is read-only');
  const { page } = await open('');
  await openCollection(page);
  await page.getByRole('button', { name: 'Add a folder' }).waitFor();
  const file = pngFile('collection');
  await page.getByTestId('collection-files').setInputFiles(file);
  await page.getByTestId('uploads').getByText('Can be found now').waitFor({ timeout: 40_000 });
  await page.goto(`${base()}/?page=collection`);
  const added = page.locator('main').getByRole('link', { name: file.name });
  await added.waitFor();
  await page.getByRole('button', { name: 'Select', exact: true }).click();
  await boxes(page).and(page.getByLabel(file.name)).click();
  const bar = page.getByTestId('selection-bar');
  await bar.getByText('1 picture').waitFor();
  await bar.getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete 1 picture?' });
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect.poll(() => page.getByLabel(file.name).count()).toBe(0);
  await page.reload();
  await tiles(page).first().waitFor();
  expect(await added.count()).toBe(0);
});

test('one browses by label and by date, and the address keeps it', async () => {
  const { page } = await open('');
  await openCollection(page);
  const stats = (await (await fetch(`${base()}/api/v1/stats`)).json()) as {
    labels: { label: string; count: number }[];
  };
  const { label, count } = stats.labels.find((each) => each.count > 3 && each.count < 60) ?? {
    label: '',
    count: 0,
  };
  await page.getByRole('combobox', { name: 'Label' }).selectOption(label);
  await expect.poll(() => parameter(page, 'label')).toBe(label);
  await expect.poll(() => tiles(page).count()).toBe(count);
  await page.reload();
  await expect.poll(() => tiles(page).count()).toBe(count);
  await page.getByLabel('To', { exact: true }).fill('1950-01-01');
  await notice(page).getByText('No picture matches').waitFor();
  await page.goBack();
  await expect.poll(() => tiles(page).count()).toBe(count);
  await page.getByRole('button', { name: 'Show all' }).click();
  await expect.poll(() => tiles(page).count()).toBeGreaterThan(count);
  // Each month has a heading.
  expect(await page.getByRole('heading', { level: 3 }).first().innerText()).toMatch(/^[A-Z][a-z]+ \d{4}$/);
});

test('scrolling goes on until all pictures are there', async () => {
  const { page } = await open('');
  await openCollection(page);
  const first = await tiles(page).count();
  expect(first).toBeLessThanOrEqual(100);
  await page.mouse.move(640, 500);
  await expect
    .poll(
      async () => {
        await page.mouse.wheel(0, 4000);
        return tiles(page).count();
      },
      { timeout: 30_000 },
    )
    .toBeGreaterThan(first);
});

describe('several pictures', () => {
  test('are searched by', async () => {
    const { page } = await open('');
    await openCollection(page);
    await page.getByRole('button', { name: 'Select', exact: true }).click();
    await boxes(page).nth(0).click();
    await boxes(page)
      .nth(3)
      .click({ modifiers: ['Shift'] });
    const bar = page.getByTestId('selection-bar');
    await bar.getByText('4 pictures').waitFor();
    await bar.getByRole('button', { name: 'More like these' }).click();
    const sheet = page.getByTestId('picture-sheet');
    await sheet
      .getByRole('link', { name: /similarity/ })
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => sheet.count()).toBe(0);
    await bar.getByText('4 pictures').waitFor();
    await bar.getByRole('button', { name: 'Clear' }).click();
    await boxes(page).nth(0).click();
    await bar.getByRole('button', { name: 'More like these' }).click();
    await sourceChip(page).waitFor();
  });

  test('are laid out as a map', async () => {
    const { page } = await open('');
    await openCollection(page);
    await page.getByRole('button', { name: 'Select', exact: true }).click();
    await boxes(page).nth(0).click();
    await boxes(page)
      .nth(11)
      .click({ modifiers: ['Shift'] });
    await page.getByTestId('selection-bar').getByRole('button', { name: 'Map', exact: true }).click();
    await page.getByRole('heading', { name: '12 chosen pictures' }).waitFor();
  });
});

test('the keyboard goes through the pictures, across months, and picks them', async () => {
  const { page } = await open('');
  await openCollection(page);
  await tiles(page).first().focus();
  const first = await focusedTile(page);
  await page.keyboard.press('ArrowRight');
  const second = await focusedTile(page);
  expect(second).not.toBe(first);
  await page.keyboard.press('ArrowDown');
  expect([first, second]).not.toContain(await focusedTile(page));
  await page.keyboard.press(' ');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('img').waitFor();
  const name = await dialog.getByRole('heading').innerText();
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => dialog.getByRole('heading').innerText()).not.toBe(name);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Select', exact: true }).click();
  await boxes(page).first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press(' ');
  expect(await boxes(page).nth(1).getAttribute('aria-checked')).toBe('true');
  await page.keyboard.press('Escape');
  await tiles(page).first().waitFor();
});

describe('there are states for', () => {
  const none = async (page: Page, now: object) => {
    await failing(page, { indexed: 0, ...now });
    await page.route('**/api/v1/images?*', (route) => route.fulfill({ json: { images: [], cursor: null } }));
    await page.goto(`${base()}/?page=collection`);
  };

  test('an empty collection', async () => {
    const { page } = await open('');
    await none(page, {});
    await notice(page).getByText('No pictures yet').waitFor();
    await page.getByRole('button', { name: 'Add files' }).waitFor();
  });

  test('an empty bucket that is read-only', async () => {
    const { page } = await open('');
    await none(page, { writable: false });
    await notice(page).getByText('BUCKET_URL').waitFor();
    expect(await page.getByRole('button', { name: 'Add files' }).count()).toBe(0);
  });

  test('a collection of which everything failed', async () => {
    const { page } = await open('');
    await none(page, { failed: 2 });
    await notice(page).getByText('No picture could be read').waitFor();
    await page.getByRole('button', { name: 'Retry all' }).waitFor();
  });

  test('a read-only bucket', async () => {
    const { page } = await open('');
    await withState(page, { writable: false });
    await openCollection(page);
    await page.getByText('The bucket is read-only here').waitFor();
    await page.getByRole('button', { name: 'Select', exact: true }).click();
    await boxes(page).first().click();
    expect(await page.getByTestId('selection-bar').getByRole('button', { name: 'Delete' }).count()).toBe(0);
  });

  test('a catalogue that is down', async () => {
    const { page } = await open('');
    await page.route('**/api/v1/images?*', (route) =>
      route.fulfill(
        problem('catalogue-unavailable', 503, 'Qdrant does not answer.', { 'retry-after': '60' }),
      ),
    );
    await page.goto(`${base()}/?page=collection`);
    await notice(page).getByText('The catalogue does not answer').waitFor();
  });
});

const VIEWS: Record<string, (page: Page) => Promise<void>> = {
  'the collection': openCollection,
  'the collection with failures': async (page) => {
    await failing(page, { failed: 2, pending: 20 });
    await openCollection(page);
    await page.getByText('a/cut-off.jpg').waitFor();
  },
  'a selection': async (page) => {
    await openCollection(page);
    await page.getByRole('button', { name: 'Select', exact: true }).click();
    await boxes(page).first().click();
  },
};

test.each(Object.keys(VIEWS))('%s has no serious or critical violation', async (name) => {
  const { page } = await open('', { colorScheme: 'light', reducedMotion: 'reduce' });
  await VIEWS[name]?.(page);
  expect(await graveViolations(page)).toEqual([]);
});

test.each(Object.keys(VIEWS))('on a phone %s does not scroll sideways', async (name) => {
  const { page } = await open('', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await VIEWS[name]?.(page);
  for (const width of [320, 390, 768]) {
    await page.setViewportSize({ width, height: 844 });
    // Rows of pictures are laid out anew a moment after the window has another width.
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  }
});
