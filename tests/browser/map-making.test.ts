import { beforeAll, describe, expect, test } from 'vitest';
import { pngFile } from './drawing';
import { changed, legend, makeMap, mapOf, openMap, readMap, selection, type MadeMap } from './map-page';
import { base, bestFive, notice, problem, searchFor, useBrowser } from './page';

const open = useBrowser();

let made: MadeMap;

beforeAll(async () => {
  made = await makeMap({});
}, 90_000);

test('labels are chosen, and the map of them is shown while it is made', async () => {
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
  const id = (await mapOf(page)) ?? '';
  expect(id).toBeTruthy();
  await expect.poll(async () => (await readMap(id)).state, { timeout: 40_000 }).toBe('done');
  await expect.poll(() => page.getByTestId('map-progress').count()).toBe(0);
  await expect.poll(() => legend(page).getByRole('button', { pressed: true }).count()).toBe(2);
  // The map's own code came without anything that the policy refuses.
  expect(errors).toEqual([]);
});

test('while a map is being made only what changes is asked for', async () => {
  const { page } = await open('');
  const whole = await readMap(made.id);
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
  await openMap(page, made.id);
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
  await openMap(page, made.id);
  const bar = page.getByTestId('map-progress');
  await bar.getByText('Arranging the map').waitFor();
  await bar.getByText('iteration 250 of 750, KL divergence 1.83').waitFor();
  expect(await bar.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('33');
  await bar.getByRole('button', { name: 'Cancel' }).click();
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

test('earlier maps are listed, can be opened, and deleted', async () => {
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
    .getByRole('button', { name: /^Delete/ })
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

test('a map that is behind the collection offers to be updated', async () => {
  const { page } = await open('');
  await changed(page, made.id, { stale: true });
  await openMap(page, made.id);
  const asked = page.waitForRequest(
    (request) => request.url().endsWith('/api/v1/maps') && request.method() === 'POST',
  );
  await page.getByRole('button', { name: 'Update the map' }).click();
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
