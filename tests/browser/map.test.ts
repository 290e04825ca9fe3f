import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { graveViolations } from './accessibility';
import { changed, legend, makeMap, map, mapOf, openMap, selection, type MadeMap } from './map-page';
import { announcement, base, parameter, useBrowser } from './page';

const open = useBrowser();

let made: MadeMap;

beforeAll(async () => {
  made = await makeMap({});
}, 90_000);

/** Draws a rectangle around the middle of the map with the lasso. */
async function lasso(page: Page, shift: boolean): Promise<void> {
  const box = await map(page).boundingBox();
  if (!box) throw new Error('the map is not there');
  const corners = [
    [0.3, 0.2],
    [0.75, 0.2],
    [0.75, 0.8],
    [0.3, 0.8],
  ].map(([x = 0, y = 0]): [number, number] => [box.x + x * box.width, box.y + y * box.height]);
  if (shift) await page.keyboard.down('Shift');
  await page.mouse.move(...(corners[0] ?? [0, 0]));
  await page.mouse.down();
  for (const [x, y] of corners.slice(1)) await page.mouse.move(x, y, { steps: 4 });
  await page.mouse.up();
  if (shift) await page.keyboard.up('Shift');
  await selection(page).waitFor();
}

/** Moves the mouse over the map until it meets a point. */
async function findPoint(page: Page): Promise<void> {
  const box = await map(page).boundingBox();
  if (!box) throw new Error('the map is not there');
  const card = page.getByTestId('hover-card');
  for (let y = 0.35; y < 0.75; y += 0.05) {
    for (let x = 0.35; x < 0.7; x += 0.015) {
      await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
      if ((await card.count()) > 0) return;
    }
  }
  throw new Error('no point was met');
}

test('it is coloured by label or by cluster, and the legend switches each on and off', async () => {
  const { page } = await open('');
  await openMap(page, made.id, '&by=label');
  const rows = legend(page).getByRole('button', { name: /picture/ });
  await expect.poll(() => rows.count()).toBeGreaterThan(2);
  await rows.first().click();
  expect(await rows.first().getAttribute('aria-pressed')).toBe('false');
  await expect.poll(() => parameter(page, 'off')).toBeTruthy();
  await page.reload();
  await rows.first().waitFor();
  expect(await rows.first().getAttribute('aria-pressed')).toBe('false');
  await page.getByRole('button', { name: 'Switch all on' }).click();
  expect(await rows.first().getAttribute('aria-pressed')).toBe('true');
  const byLabel = await rows.first().getAttribute('aria-label');
  await page.getByRole('radio', { name: 'Clusters' }).check({ force: true });
  await expect.poll(() => rows.first().getAttribute('aria-label')).not.toBe(byLabel);
  await expect.poll(() => parameter(page, 'by')).toBe('cluster');
});

test('pointing at a point shows its picture, name and label', async () => {
  const { page } = await open('');
  await openMap(page, made.id);
  await findPoint(page);
  const card = page.getByTestId('hover-card');
  await expect.poll(() => card.locator('strong').innerText()).toMatch(/\.\w+$/);
  expect(await card.locator('img').getAttribute('src')).toContain('/thumbnail');
});

/** Pairs of elements that lie over each other, as the distance between them and their width. */
function overlapping(elements: Element[]): [number, number][] {
  const boxes = elements.map((element) => element.getBoundingClientRect());
  return boxes
    .flatMap((one, at) =>
      boxes
        .slice(at + 1)
        .map((other): [number, number] => [
          Math.max(Math.abs(one.x - other.x), Math.abs(one.y - other.y)),
          one.width,
        ]),
    )
    .filter(([distance, width]) => distance < width);
}

test('pictures stand on the map as one comes near, at most 150 and not over each other', async () => {
  const { page } = await open('');
  await openMap(page, made.id);
  const pictures = page.getByTestId('thumbnails').locator('img');
  expect(await pictures.count()).toBe(0);
  const box = await map(page).boundingBox();
  await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2);
  for (let turn = 0; turn < 5; turn += 1) await page.mouse.wheel(0, -120);
  await expect.poll(() => pictures.count()).toBeGreaterThan(3);
  expect(await pictures.count()).toBeLessThanOrEqual(150);
  // The last turns of the wheel may be under way yet.
  await expect.poll(() => pictures.evaluateAll(overlapping)).toEqual([]);
  await expect.poll(() => parameter(page, 'at')).toBeTruthy();
  const shared = await page.evaluate(() => location.href);
  await page.goto(shared);
  await expect.poll(() => pictures.count()).toBeGreaterThan(3);
});

describe('the lasso', () => {
  test('with Shift or its button, selects what it goes around', async () => {
    const { page } = await open('');
    await openMap(page, made.id);
    await lasso(page, true);
    const withShift = await selection(page).getByRole('heading').innerText();
    expect(withShift).toMatch(/^[1-9][\d,]* pictures? selected$/);
    await expect.poll(() => announcement(page).innerText()).toContain('selected');
    await page.getByRole('button', { name: 'Clear the selection' }).click();
    expect(await selection(page).count()).toBe(0);
    await page.getByRole('button', { name: 'Select with a lasso' }).click();
    await lasso(page, false);
    expect(await selection(page).getByRole('heading').innerText()).toBe(withShift);
  });

  test('the selection becomes a grid', async () => {
    const { page } = await open('');
    await openMap(page, made.id);
    await lasso(page, true);
    await page.getByRole('button', { name: 'Show as a grid' }).click();
    const sheet = page.getByTestId('picture-sheet');
    await sheet.getByRole('link').first().waitFor();
    await sheet.getByRole('link').first().focus();
    await page.keyboard.press(' ');
    await page.getByRole('dialog').getByRole('img').waitFor();
    await page.keyboard.press('Escape');
    await sheet.getByRole('button', { name: 'Back to the map' }).click();
    expect(await sheet.count()).toBe(0);
    await selection(page).waitFor();
  });

  test('the selection becomes a search', async () => {
    const { page } = await open('');
    await openMap(page, made.id);
    await lasso(page, true);
    const answer = page.waitForResponse((response) => response.url().endsWith('/api/v1/search'));
    await page.getByRole('button', { name: 'More like these' }).click();
    expect((await answer).status()).toBe(200);
    const sheet = page.getByTestId('picture-sheet');
    await sheet
      .getByRole('link', { name: /similarity/ })
      .first()
      .waitFor();
  });

  test('the selection becomes a map of its own', async () => {
    const { page } = await open('');
    await openMap(page, made.id);
    await lasso(page, true);
    await page.getByRole('button', { name: 'Map of these' }).click();
    await expect.poll(() => mapOf(page)).not.toBe(made.id);
    await page.getByRole('heading', { name: /chosen pictures/ }).waitFor();
    await page.goBack();
    await expect.poll(() => mapOf(page)).toBe(made.id);
    await page.getByRole('heading', { name: /collection/ }).waitFor();
  });

  test('the selection becomes a CSV with keys, labels and coordinates', async () => {
    const { page } = await open('');
    await openMap(page, made.id);
    await lasso(page, true);
    const count = Number(
      (await selection(page).getByRole('heading').innerText()).split(' ')[0]?.replace(',', ''),
    );
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save as CSV' }).click(),
    ]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    const [head, ...rows] = Buffer.concat(chunks).toString().trim().split('\r\n');
    expect(head).toBe('id,key,label,x,y');
    expect(rows).toHaveLength(count);
    expect(rows[0]).toMatch(/^[0-9a-f-]{36},.+\.\w+,.*,-?[\d.]+,-?[\d.]+$/);
  });
});

test('how well labels separate is told in plain words, and a confused pair can be selected', async () => {
  const { page } = await open('');
  await openMap(page, made.id);
  const figures = page.getByTestId('separation');
  await figures.getByText(/\d+ % of the ten nearest neighbours of a picture carry its own label\./).waitFor();
  const pair = figures.getByRole('listitem').getByRole('button').first();
  await pair.click();
  expect(await selection(page).getByRole('heading').innerText()).toMatch(/^\d/);
});

test('the map is used by keyboard alone', async () => {
  const { page } = await open('');
  await openMap(page, made.id);
  await map(page).focus();
  expect(await map(page).getAttribute('aria-label')).toContain('Map of');
  for (const key of ['+', '+', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
  await expect.poll(() => parameter(page, 'at')).toBeTruthy();
  await page.keyboard.press('0');
  await expect.poll(() => parameter(page, 'at')).toBeNull();
  await page.getByRole('button', { name: 'Select what is in view' }).focus();
  await page.keyboard.press('Enter');
  const pictures = selection(page).getByRole('list').getByRole('button');
  await pictures.first().focus();
  await expect.poll(() => pictures.first().getAttribute('aria-label')).toMatch(/\.\w+, /);
  await page.keyboard.press('ArrowRight');
  expect(await pictures.nth(1).evaluate((each) => each === document.activeElement)).toBe(true);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('img').waitFor();
});

test('the map is saved as a PNG with its legend', async () => {
  const { page } = await open('');
  await openMap(page, made.id);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save as a picture' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/\.png$/);
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  // As wide as the map and its legend.
  expect(bytes.readUInt32BE(16)).toBe(1280 + 250);
});

const VIEWS: Record<string, (page: Page) => Promise<void>> = {
  'the form': async (page) => {
    await page.goto(`${base()}/?page=map`);
    await page.getByRole('checkbox').first().waitFor();
  },
  'the form for folders': async (page) => {
    await VIEWS['the form']?.(page);
    await page.getByRole('radio', { name: 'My own folders' }).check({ force: true });
  },
  'a map': async (page) => {
    await openMap(page, made.id);
    await page.getByTestId('separation').waitFor({ state: 'attached' });
  },
  'a selection': async (page) => {
    await openMap(page, made.id);
    await page.getByRole('button', { name: 'Select what is in view' }).click();
    await selection(page).getByRole('list').getByRole('button').first().waitFor();
  },
  'a selection as a grid': async (page) => {
    await VIEWS['a selection']?.(page);
    await page.getByRole('button', { name: 'Show as a grid' }).click();
    await page.getByTestId('picture-sheet').getByRole('link').first().waitFor();
  },
  'a map that is being made': async (page) => {
    const progress = { step: 'optimizing', iteration: 250, iterations: 750, kl_divergence: 1.834 };
    await changed(page, made.id, { state: 'running', progress, clusters: [], separation: null });
    await openMap(page, made.id);
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
