import { expect, test } from 'vitest';
import { bestFive, focusedTile, ids, notice, parameter, sourceChip, startTiles, useBrowser } from './page';

const open = useBrowser();

test('Space shows a picture large with its details, arrows lead on, Escape returns', async () => {
  const { page, errors } = await open('/?q=a+bird');
  await bestFive(page).first().waitFor();
  const five = await ids(bestFive(page));
  await bestFive(page).first().focus();
  await page.keyboard.press(' ');
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await expect.poll(() => dialog.innerText()).toMatch(/Similarity\s+0\.\d\d, number 1 of 50/);
  expect(await dialog.innerText()).toMatch(/\d+ × \d+ pixels|\d × \d/);
  expect(await dialog.innerText()).toMatch(/Label\s+\S/);
  await expect.poll(() => dialog.innerText()).toMatch(/Indexed by\s+\S/);
  expect(await parameter(page, 'view')).toBe(five[0]);
  const picture = dialog.getByRole('img');
  await expect
    .poll(() => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth))
    .toBeGreaterThan(0);

  await page.keyboard.press('ArrowRight');
  await expect.poll(() => parameter(page, 'view')).toBe(five[1]);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await page.evaluate(() => location.search)).toBe('?q=a+bird');
  await expect.poll(() => focusedTile(page)).toBe(five[0]);
  expect(errors).toEqual([]);
});

test('Back closes the larger view', async () => {
  const { page } = await open('/');
  await startTiles(page).first().hover();
  await page
    .getByRole('button', { name: /^Show .+ large$/ })
    .first()
    .click();
  await page.getByRole('dialog').waitFor();
  await page.goBack();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await startTiles(page).first().waitFor();
});

test('its address opens it, offers the file, and leads to more like it', async () => {
  const { page } = await open('/');
  await startTiles(page).first().waitFor();
  const id = (await ids(startTiles(page)))[0] ?? '';
  await page.goto(`${new URL(page.url()).origin}/?view=${id}`);
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  const link = dialog.getByRole('link', { name: 'Download' });
  const href = (await link.getAttribute('href')) ?? '';
  expect(await link.getAttribute('download')).toBeTruthy();
  const file = await page.request.get(new URL(href, page.url()).href);
  expect(file.status()).toBe(200);
  expect(file.headers()['content-type']).toMatch(/^image\//);
  await dialog.getByRole('link', { name: 'More like this' }).click();
  await dialog.waitFor({ state: 'detached' });
  await sourceChip(page).waitFor();
  expect(await parameter(page, 'like')).toBe(id);
});

test('its link is copied', async () => {
  const { page } = await open('/', {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await startTiles(page).first().focus();
  await page.keyboard.press(' ');
  await page.getByRole('button', { name: 'Copy link' }).click();
  await page.getByRole('button', { name: 'Link copied' }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toBe(`${new URL(page.url()).origin}/?view=${await parameter(page, 'view')}`);
});

test('a picture that is gone says so', async () => {
  const { page } = await open('/?view=00000000-0000-4000-8000-00000000dead');
  await page.getByRole('alert').filter({ hasText: 'no longer in the collection' }).waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  await startTiles(page).first().waitFor();
  expect(await notice(page).count()).toBe(0);
});
