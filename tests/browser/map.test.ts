import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { pngFile } from './drawing';
import { announcement, base, bestFive, notice, problem, searchFor, useBrowser } from './page';

const open = useBrowser();

interface MadeMap {
  id: string;
  state: string;
  labels: string[];
  points: { ids: string[]; x: number[]; y: number[] } | null;
}

const map = (page: Page) => page.getByTestId('map');
const selection = (page: Page) => page.getByTestId('selection');
const legend = (page: Page) => page.getByRole('list', { name: /^Legend/ });
const mapOf = (page: Page) => new URL(page.url()).searchParams.get('map');

async function read(id: string): Promise<MadeMap> {
  return (await (await fetch(`${base()}/api/v1/maps/${id}`)).json()) as MadeMap;
}

/** Asks the services for a map, and waits until it is there. */
async function makeMap(request: object): Promise<MadeMap> {
  const asked = await fetch(`${base()}/api/v1/maps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sample: 500, perplexity: 20, ...request }),
  });
  const { id } = (await asked.json()) as MadeMap;
  await vi.waitFor(async () => expect((await read(id)).state).toBe('done'), {
    timeout: 60_000,
    interval: 500,
  });
  return read(id);
}

let made: MadeMap;

beforeAll(async () => {
  made = await makeMap({});
}, 90_000);

/** The map as it is, with something about it changed. */
async function changed(page: Page, id: string, change: object): Promise<void> {
  const body = { ...(await read(id)), ...change };
  await page.route(new RegExp(`/api/v1/maps/${id}(\\?|$)`), (route) =>
    route.request().method() === 'GET' ? route.fulfill({ json: body }) : route.fallback(),
  );
}

async function openMap(page: Page, more = ''): Promise<void> {
  await page.goto(`${base()}/?page=map&map=${made.id}${more}`);
  await page.getByRole('toolbar', { name: 'The map' }).waitFor();
}

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

test('labels are chosen, and the map of them forms before one’s eyes', async () => {
  const { page, errors } = await open('/?page=map');
  const picker = page.getByRole('group', { name: 'Labels' });
  await picker.getByRole('checkbox').first().waitFor();
  const chosen = await picker.getByRole('checkbox').count();
  expect(chosen).toBeGreaterThan(2);
  await picker.getByRole('searchbox').fill('fruit');
  await expect.poll(() => picker.getByRole('checkbox').count()).toBeLessThan(chosen);
  await picker.getByRole('checkbox').first().check();
  await picker.getByRole('searchbox').fill('');
  await picker.getByRole('checkbox').nth(1).check();
  await picker.getByText('2 labels').waitFor();
  await page.getByRole('slider', { name: 'Perplexity' }).fill('15');
  await page.getByRole('button', { name: 'Make the map' }).click();
  await legend(page).getByRole('button').first().waitFor();
  expect(mapOf(page)).toBeTruthy();
  await expect.poll(async () => (await read(mapOf(page) ?? '')).state, { timeout: 40_000 }).toBe('done');
  await expect.poll(() => page.getByTestId('map-progress').count()).toBe(0);
  await expect.poll(() => legend(page).getByRole('button', { pressed: true }).count()).toBe(2);
  // The map's own code came without anything that the policy refuses.
  expect(errors).toEqual([]);
});

test('while a map is being made only what changes is asked for', async () => {
  const { page } = await open('');
  const whole = await read(made.id);
  const moved = whole.points?.x.map((x) => -x);
  const running = { ...whole, state: 'running', clusters: [], separation: null };
  const kept = { ids: null, label: null, cluster: null, new: null };
  const answers: Record<string, object> = {
    none: { ...running, version: 1 },
    1: { ...running, version: 1, points: null },
    2: { ...running, version: 3, points: { ...kept, x: moved, y: whole.points?.y } },
    3: { ...whole, version: 4 },
  };
  const asked: string[] = [];
  await page.route(new RegExp(`/api/v1/maps/${made.id}(\\?|$)`), (route) => {
    const since = new URL(route.request().url()).searchParams.get('since') ?? 'none';
    asked.push(since);
    // Twice without news, then with other coordinates, then it is done.
    if (asked.filter((each) => each === '1').length > 2) answers[1] = { ...answers[2], version: 2 };
    return route.fulfill({ json: answers[since] ?? {} });
  });
  await openMap(page);
  await page.getByTestId('map-progress').waitFor({ state: 'detached' });
  expect(asked).toEqual(['none', '1', '1', '1', '2', '3']);
  await page.getByRole('button', { name: 'Select what is in view' }).click();
  const count = whole.points?.ids.length ?? 0;
  expect(await selection(page).getByRole('heading').innerText()).toContain(count.toLocaleString('en'));
});

test('progress tells step, iteration and divergence, and can be cancelled', async () => {
  const { page } = await open('');
  const progress = { step: 'optimizing', iteration: 250, iterations: 750, kl_divergence: 1.834 };
  await changed(page, made.id, { state: 'running', progress, clusters: [], separation: null });
  let cancelled = false;
  await page.route(`**/api/v1/maps/${made.id}`, (route) => {
    if (route.request().method() !== 'DELETE') return route.fallback();
    cancelled = true;
    return route.fulfill({ status: 204 });
  });
  await openMap(page);
  const forming = page.getByTestId('map-progress');
  await forming.getByText('Arranging the map').waitFor();
  await forming.getByText('iteration 250 of 750, KL divergence 1.83').waitFor();
  expect(await forming.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('33');
  await forming.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('Cancelled: this is how far the map came.').waitFor();
  expect(cancelled).toBe(true);
});

test('folders, dates and the last results can be laid out', async () => {
  const { page } = await open('/');
  await searchFor(page, 'a bird');
  const found = await bestFive(page).count();
  expect(found).toBe(5);
  await page.getByRole('link', { name: 'Map', exact: true }).click();
  await page.getByRole('radio', { name: 'The last results' }).check({ force: true });
  await page.getByText('The 50 pictures that the last search found.').waitFor();
  const asked = page.waitForRequest(
    (request) => request.url().endsWith('/api/v1/maps') && request.method() === 'POST',
  );
  await page.getByRole('button', { name: 'Make the map' }).click();
  expect(((await asked).postDataJSON() as { ids: string[] }).ids).toHaveLength(50);
  await legend(page).getByRole('button').first().waitFor();

  await page.getByRole('link', { name: 'New map' }).click();
  await page.getByLabel('Folder', { exact: true }).fill('/animals/');
  await page.getByLabel('From', { exact: true }).fill('1990-01-01');
  await page.getByLabel('To', { exact: true }).fill('1990-12-31');
  const second = page.waitForRequest(
    (request) => request.url().endsWith('/api/v1/maps') && request.method() === 'POST',
  );
  await page.getByRole('button', { name: 'Make the map' }).click();
  const request = (await second).postDataJSON() as { folders: string[]; after: string; before: string };
  expect(request.folders).toEqual(['animals']);
  expect(Date.parse(request.before) - Date.parse(request.after)).toBeGreaterThan(360 * 86_400_000);
});

test('it is coloured by label or by cluster, and the legend switches each on and off', async () => {
  const { page } = await open('');
  await openMap(page, '&by=label');
  const rows = legend(page).getByRole('button', { name: /picture/ });
  await expect.poll(() => rows.count()).toBeGreaterThan(2);
  await rows.first().click();
  expect(await rows.first().getAttribute('aria-pressed')).toBe('false');
  await expect.poll(() => new URL(page.url()).searchParams.get('off')).toBeTruthy();
  await page.reload();
  await rows.first().waitFor();
  expect(await rows.first().getAttribute('aria-pressed')).toBe('false');
  await page.getByRole('button', { name: 'Switch all on' }).click();
  expect(await rows.first().getAttribute('aria-pressed')).toBe('true');
  const byLabel = await rows.first().getAttribute('aria-label');
  await page.getByRole('radio', { name: 'Clusters' }).check({ force: true });
  await expect.poll(() => rows.first().getAttribute('aria-label')).not.toBe(byLabel);
  await expect.poll(() => new URL(page.url()).searchParams.get('by')).toBe('cluster');
});

test('pointing at a point shows its picture, name and label', async () => {
  const { page } = await open('');
  await openMap(page);
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
  await openMap(page);
  const pictures = page.getByTestId('thumbnails').locator('img');
  expect(await pictures.count()).toBe(0);
  const box = await map(page).boundingBox();
  await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2);
  for (let turn = 0; turn < 5; turn += 1) await page.mouse.wheel(0, -120);
  await expect.poll(() => pictures.count()).toBeGreaterThan(3);
  expect(await pictures.count()).toBeLessThanOrEqual(150);
  // The last turns of the wheel may be under way yet.
  await expect.poll(() => pictures.evaluateAll(overlapping)).toEqual([]);
  await expect.poll(() => new URL(page.url()).searchParams.get('at')).toBeTruthy();
  const shared = page.url();
  await page.goto(shared);
  await expect.poll(() => pictures.count()).toBeGreaterThan(3);
});

describe('the lasso', () => {
  test('with Shift or its button, selects what it goes around', async () => {
    const { page } = await open('');
    await openMap(page);
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
    await openMap(page);
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
    await openMap(page);
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
    await openMap(page);
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
    await openMap(page);
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
  await openMap(page);
  const figures = page.getByTestId('separation');
  await figures.getByText(/\d+ % of the ten nearest neighbours of a picture carry its own label\./).waitFor();
  const pair = figures.getByRole('listitem').getByRole('button').first();
  await pair.click();
  expect(await selection(page).getByRole('heading').innerText()).toMatch(/^\d/);
});

test('the map is used by keyboard alone', async () => {
  const { page } = await open('');
  await openMap(page);
  await map(page).focus();
  expect(await map(page).getAttribute('aria-label')).toContain('Map of');
  for (const key of ['+', '+', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
  await expect.poll(() => new URL(page.url()).searchParams.get('at')).toBeTruthy();
  await page.keyboard.press('0');
  await expect.poll(() => new URL(page.url()).searchParams.get('at')).toBeNull();
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
  await openMap(page);
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

test('earlier maps are listed, can be opened, and forgotten', async () => {
  const { page } = await open('/?page=map');
  const list = page.getByRole('region', { name: 'Earlier maps' });
  await list.getByRole('link').first().waitFor();
  const spare = await makeMap({ perplexity: 11 });
  await page.reload();
  await list.locator(`a[href*="${spare.id}"]`).waitFor();
  const before = await list.getByRole('link').count();
  await list
    .getByRole('listitem')
    .filter({ has: page.locator(`a[href*="${spare.id}"]`) })
    .getByRole('button', { name: /^Forget/ })
    .click();
  await expect.poll(() => list.getByRole('link').count()).toBe(before - 1);
  await list.locator(`a[href*="${made.id}"]`).click();
  await legend(page).getByRole('button').first().waitFor();
});

test('labelled folders are uploaded for a map of their own, and refused files are named', async () => {
  const { page } = await open('/?page=map');
  await page.getByRole('radio', { name: 'My own folders' }).check({ force: true });
  const pictures = Array.from({ length: 12 }, (_, n) => ({
    ...pngFile('map'),
    folder: n % 2 ? 'odd' : 'even',
  }));
  const bad = { name: 'bad.png', mimeType: 'image/png', buffer: Buffer.from('no picture'), folder: 'odd' };
  // A hand cannot be made to choose a folder in a test; it can drop one.
  const transfer = await page.evaluateHandle(
    (given) => {
      const data = new DataTransfer();
      for (const { name, bytes } of given)
        data.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
      const entries = given.map(({ name, folder }, at) => ({ name, folder, file: data.files[at] as File }));
      const folders = [...new Set(entries.map(({ folder }) => folder))].map((folder) => ({
        isFile: false,
        isDirectory: true,
        name: folder,
        createReader() {
          const inside = entries
            .filter((entry) => entry.folder === folder)
            .map(({ file }) => ({
              isFile: true,
              isDirectory: false,
              name: file.name,
              file: (take: (f: File) => void) => take(file),
            }));
          let read = false;
          return {
            readEntries: (take: (found: unknown[]) => void) => (take(read ? [] : inside), (read = true)),
          };
        },
      }));
      const items = folders.map((folder) => ({ kind: 'file', webkitGetAsEntry: () => folder }));
      Object.defineProperty(data, 'items', { value: items });
      return data;
    },
    [...pictures, bad].map(({ name, buffer, folder }) => ({ name, folder, bytes: Array.from(buffer) })),
  );
  await page.getByTestId('map-drop').evaluate((zone, data) => {
    const event = new DragEvent('drop', { bubbles: true, cancelable: true });
    Object.defineProperty(event, 'dataTransfer', { value: data });
    zone.dispatchEvent(event);
  }, transfer);
  await page.getByText('13 pictures').waitFor();
  await page.getByRole('button', { name: 'Make the map' }).click();
  await page.getByRole('heading', { name: 'Uploaded pictures' }).waitFor();
  await legend(page).getByRole('button', { name: 'odd, 6 pictures' }).waitFor({ timeout: 40_000 });
  await page.getByRole('button', { name: '1 file was refused' }).click({ timeout: 40_000 });
  await page.getByText('bad.png').waitFor();
  await page.getByRole('button', { name: 'Select what is in view' }).click();
  const first = selection(page).locator('img').first();
  await expect
    .poll(() => first.evaluate((image) => (image as HTMLImageElement).naturalWidth))
    .toBeGreaterThan(0);
});

test('a map that is behind the collection offers to place the new pictures', async () => {
  const { page } = await open('');
  await changed(page, made.id, { stale: true });
  await openMap(page);
  const asked = page.waitForRequest(
    (request) => request.url().endsWith('/api/v1/maps') && request.method() === 'POST',
  );
  await page.getByRole('button', { name: 'Place the new pictures' }).click();
  expect((await asked).postDataJSON()).toMatchObject({ sample: 500, perplexity: 20 });
});

describe('what goes wrong is said clearly:', () => {
  test('too few pictures', async () => {
    const { page } = await open('/?page=map');
    await page.getByLabel('From', { exact: true }).fill('1901-01-01');
    await page.getByLabel('To', { exact: true }).fill('1901-01-02');
    await page.getByRole('button', { name: 'Make the map' }).click();
    await page
      .getByRole('alert')
      .getByText(/a map needs 10/)
      .waitFor();
  });

  test('no map worker', async () => {
    const { page } = await open('/?page=map');
    await page.route('**/api/v1/maps', (route) =>
      route.request().method() === 'POST'
        ? route.fulfill(problem('queue-unavailable', 503, 'The queue of maps cannot be reached.'))
        : route.fallback(),
    );
    await page.getByRole('button', { name: 'Make the map' }).click();
    await page.getByRole('alert').getByText('The queue of maps cannot be reached.').waitFor();
  });

  test('a map that failed', async () => {
    const { page } = await open('');
    await changed(page, made.id, {
      state: 'failed',
      reason: 'The map took more memory than there is.',
      points: null,
    });
    await page.goto(`${base()}/?page=map&map=${made.id}`);
    await notice(page).getByText('The map took more memory than there is.').waitFor();
  });

  test('a map that is gone', async () => {
    const { page } = await open('/?page=map&map=m-00000000000000000000');
    await notice(page).getByText('This map is no longer here').waitFor();
    await notice(page).getByRole('link', { name: 'Make a map' }).click();
    await page.getByRole('form', { name: 'A new map' }).waitFor();
  });
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
    await openMap(page);
    await page.getByTestId('separation').waitFor({ state: 'attached' });
  },
  'a selection': async (page) => {
    await openMap(page);
    await page.getByRole('button', { name: 'Select what is in view' }).click();
    await selection(page).getByRole('list').getByRole('button').first().waitFor();
  },
  'a selection as a grid': async (page) => {
    await VIEWS['a selection']?.(page);
    await page.getByRole('button', { name: 'Show as a grid' }).click();
    await page.getByTestId('picture-sheet').getByRole('link').first().waitFor();
  },
  'a map that forms': async (page) => {
    const progress = { step: 'optimizing', iteration: 250, iterations: 750, kl_divergence: 1.834 };
    await changed(page, made.id, { state: 'running', progress, clusters: [], separation: null });
    await openMap(page);
  },
};

describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
  test.each(Object.keys(VIEWS))('%s has no serious or critical violation', async (name) => {
    const { page } = await open('', { colorScheme, reducedMotion: 'reduce' });
    await VIEWS[name]?.(page);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(grave.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)).toEqual([]);
  });
});

test.each(Object.keys(VIEWS))('on a phone %s does not scroll sideways', async (name) => {
  const { page } = await open('', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await VIEWS[name]?.(page);
  for (const width of [320, 390, 768]) {
    await page.setViewportSize({ width, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  }
});
