import { beforeAll, describe, expect, test } from 'vitest';
import { drawPng, pngFile } from './drawing';
import { base, bestFive, ids, similarities, sourceChip, startTiles, useBrowser } from './page';
import type { Page } from 'playwright-core';

const open = useBrowser();
let writable = false;

beforeAll(async () => {
  const answer = await fetch(`${base()}/api/v1/ingest`);
  writable = ((await answer.json()) as { writable: boolean }).writable;
});

/** Drags files over the page and lets them go on a zone, as a person's hand does. */
async function dropFiles(
  page: Page,
  files: { name: string; buffer: Buffer }[],
  zone: string | null,
): Promise<void> {
  const transfer = await page.evaluateHandle(
    (given) => {
      const data = new DataTransfer();
      for (const { name, bytes } of given) {
        data.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
      }
      return data;
    },
    files.map(({ name, buffer }) => ({ name, bytes: Array.from(buffer) })),
  );
  await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
  await page.getByTestId('drop').waitFor();
  if (zone) await page.locator(`[data-drop="${zone}"]`).waitFor();
  const target = zone ? `[data-drop="${zone}"]` : '[data-testid="drop"]';
  await page.dispatchEvent(target, 'dragover', { dataTransfer: transfer });
  await page.dispatchEvent(target, 'drop', { dataTransfer: transfer });
}

async function remove(id: string): Promise<void> {
  await fetch(`${base()}/api/v1/images/${id}`, { method: 'DELETE' });
}

test('a dropped picture is searched by', async () => {
  const { page } = await open('/?q=a+bird');
  await bestFive(page).first().waitFor();
  await dropFiles(page, [{ name: 'dropped.png', buffer: drawPng() }], 'search');
  await sourceChip(page).waitFor();
  expect(await sourceChip(page).innerText()).toContain('dropped.png');
  await expect.poll(() => bestFive(page).count()).toBe(5);
  expect(await page.getByTestId('drop').count()).toBe(0);
});

describe('adding pictures', () => {
  test('an added picture shows its way and is found by itself', async (context) => {
    context.skip(!writable, 'the bucket is read-only');
    const { page } = await open('/');
    await startTiles(page).first().waitFor();
    const file = pngFile();
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Add pictures' }).click(),
    ]);
    await chooser.setFiles(file);
    const row = page.getByTestId('uploads').getByRole('listitem').filter({ hasText: file.name });
    await row.waitFor();
    await row.getByText('Can be found now').waitFor({ timeout: 50_000 });
    const added = new URL((await row.getByRole('link').getAttribute('href')) ?? '', base());
    const id = added.searchParams.get('like') ?? '';
    expect(id).not.toBe('');

    await page.getByTestId('query-file').setInputFiles(file);
    await sourceChip(page).waitFor();
    await expect.poll(async () => (await ids(bestFive(page)))[0], { timeout: 20_000 }).toBe(id);
    expect((await similarities(bestFive(page)))[0]).toBeGreaterThanOrEqual(0.99);
    await remove(id);
  });

  test('a file that is no picture is refused with a reason, the others are not', async (context) => {
    context.skip(!writable, 'the bucket is read-only');
    const { page } = await open('/');
    const good = pngFile();
    await startTiles(page).first().waitFor();
    await page.getByTestId('add-files').setInputFiles([
      {
        name: 'notes.txt',
        mimeType: 'text/plain',
        buffer: Buffer.from('words'),
      },
      {
        name: 'broken.png',
        mimeType: 'image/png',
        buffer: Buffer.from('this is not a picture'),
      },
      good,
    ]);
    const rows = page.getByTestId('uploads').getByRole('listitem');
    await rows.filter({ hasText: 'notes.txt' }).getByText('Not a picture').waitFor();
    await rows
      .filter({ hasText: 'broken.png' })
      .getByText(/not an image|not a picture/i)
      .waitFor();
    const added = rows.filter({ hasText: good.name });
    await added.getByText('Can be found now').waitFor({ timeout: 50_000 });
    const href = (await added.getByRole('link').getAttribute('href')) ?? '';
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await page.getByTestId('uploads').count()).toBe(0);
    await remove(new URL(href, base()).searchParams.get('like') ?? '');
  });

  test('a picture dropped on the collection is added to it', async (context) => {
    context.skip(!writable, 'the bucket is read-only');
    const { page } = await open('/');
    await startTiles(page).first().waitFor();
    const file = pngFile('dropped');
    await dropFiles(page, [file], 'add');
    const row = page.getByTestId('uploads').getByRole('listitem').filter({ hasText: file.name });
    await row.getByText('Can be found now').waitFor({ timeout: 50_000 });
    const href = (await row.getByRole('link').getAttribute('href')) ?? '';
    await row.getByRole('link').click();
    await sourceChip(page).waitFor();
    await remove(new URL(href, base()).searchParams.get('like') ?? '');
  });
});

test('a read-only bucket says why nothing can be added', async () => {
  const { page } = await open('');
  await page.route('**/api/v1/ingest', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({
      response: answer,
      json: { ...(await answer.json()), writable: false },
    });
  });
  await page.goto(base());
  await page.getByRole('button', { name: /^Collection: [\d,]+ indexed/ }).waitFor();
  await page.getByRole('button', { name: 'Add pictures' }).click();
  const dialog = page.getByRole('dialog', {
    name: 'The bucket is read-only here',
  });
  await dialog.waitFor();
  expect(await dialog.innerText()).toContain('BUCKET_WRITABLE=true');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
});
