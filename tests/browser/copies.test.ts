import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { drawPng } from './drawing';
import { base, bestFive, sourceChip, useBrowser } from './page';

const LABEL = 'browser-copies';
const BUCKET = process.env.BUCKET;
const folder = BUCKET ? join(BUCKET, LABEL) : null;
const picture = drawPng();
const open = useBrowser();

async function indexed(): Promise<{ id: string; name: string }[]> {
  const answer = await fetch(`${base()}/api/v1/images?label=${LABEL}&state=indexed`);
  return ((await answer.json()) as { images: { id: string; name: string }[] }).images;
}

beforeAll(async () => {
  if (!folder) return;
  await mkdir(folder);
  for (const name of ['one.png', 'two.png', 'three.png']) await writeFile(join(folder, name), picture);
  await vi.waitFor(async () => expect(await indexed()).toHaveLength(3), { timeout: 50_000, interval: 500 });
});

afterAll(async () => {
  if (folder) await rm(folder, { recursive: true });
});

test('copies are shown once, and opened by their number', async (context) => {
  if (!folder) return context.skip('BUCKET is not known');
  const { page, errors } = await open(`/?page=collection&label=${LABEL}`);
  const tiles = page.locator('a[data-tile]');
  const badge = page.getByRole('link', { name: /^2 copies of / });
  await badge.waitFor();
  expect(await tiles.count()).toBe(1);
  expect(await badge.innerText()).toBe('+2');

  await badge.click();
  await page.getByRole('heading', { name: /^Copies of / }).waitFor();
  await expect.poll(() => tiles.count()).toBe(3);
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.getByRole('heading', { name: 'Pictures', exact: true }).waitFor();
  expect(errors).toEqual([]);
});

test('the large picture leads to its copies, and what is like it is none of them', async (context) => {
  if (!folder) return context.skip('BUCKET is not known');
  const images = await indexed();
  const own = images.map(({ id }) => id);
  const { page } = await open(`/?view=${own[0]}`);
  const dialog = page.getByRole('dialog', { name: images[0]?.name ?? '' });
  const link = dialog.getByRole('link', { name: 'and 2 copies' });
  expect(await link.getAttribute('href')).toBe(`/?page=collection&copies=${own[0]}`);
  await dialog.getByRole('link', { name: 'More like this' }).click();
  await sourceChip(page).waitFor();
  await expect.poll(() => bestFive(page).count()).toBe(5);
  for (const id of own) expect(await page.locator(`a[data-tile="${id}"]`).count()).toBe(0);
});
