import { expect, test } from 'vitest';
import { bestFive, focusedTile, ids, parameter, sourceChip, startTiles, theRest, useBrowser } from './page';

const open = useBrowser();

test('a click on a picture searches for more like it, and Back returns to where one was', async () => {
  const { page } = await open('/?q=a+bird&tab=grid');
  await theRest(page).first().waitFor();
  const before = await ids(bestFive(page));
  const tile = theRest(page).nth(30);
  // Brings it to where it can be clicked, so that the click scrolls no more.
  await tile.hover();
  const scrolled = await page.evaluate(() => scrollY);
  expect(scrolled).toBeGreaterThan(0);
  const id = (await ids(theRest(page)))[30];
  await tile.click();

  await sourceChip(page).waitFor();
  expect(await parameter(page, 'like')).toBe(id);
  await expect.poll(() => ids(bestFive(page))).not.toEqual(before);
  // A picture is not among those that are like it.
  expect([...(await ids(bestFive(page))), ...(await ids(theRest(page)))]).not.toContain(id);

  await page.goBack();
  await expect.poll(() => ids(bestFive(page))).toEqual(before);
  await expect.poll(() => page.evaluate(() => scrollY)).toBe(scrolled);
  expect(await sourceChip(page).count()).toBe(0);

  await page.goForward();
  await sourceChip(page).waitFor();
  expect(await parameter(page, 'like')).toBe(id);
});

test('the address of a picture alone is enough to search by it', async () => {
  const { page } = await open('/');
  await startTiles(page).first().waitFor();
  const href = await startTiles(page).first().getAttribute('href');
  const name = (await startTiles(page).first().getAttribute('aria-label'))?.split(':')[0] ?? '';
  await page.goto(new URL(href ?? '', page.url()).href);
  await bestFive(page).first().waitFor();
  await expect.poll(() => sourceChip(page).innerText()).toContain(name);
});

test('arrow keys move between pictures and Enter follows one', async () => {
  const { page } = await open('/?q=a+car&tab=grid');
  await theRest(page).first().waitFor();
  const five = await ids(bestFive(page));
  const rest = await ids(theRest(page));
  await bestFive(page).first().focus();
  await page.keyboard.press('ArrowRight');
  expect(await focusedTile(page)).toBe(five[1]);
  await page.keyboard.press('ArrowDown');
  expect(rest).toContain(await focusedTile(page));
  await page.keyboard.press('ArrowUp');
  expect(five).toContain(await focusedTile(page));
  await page.keyboard.press('End');
  expect(await focusedTile(page)).toBe(rest.at(-1));
  await page.keyboard.press('Home');
  expect(await focusedTile(page)).toBe(five[0]);

  await page.keyboard.press('Enter');
  await sourceChip(page).waitFor();
  expect(await parameter(page, 'like')).toBe(five[0]);
  // Keyboard focus does not fall back to the top of the document.
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
  await page.goBack();
  await expect.poll(() => focusedTile(page)).toBe(five[0]);
});

test('all tiles are one stop of the Tab key', async () => {
  const { page } = await open('/?q=a+car');
  await bestFive(page).first().waitFor();
  const stops = await page.locator('[data-tile][tabindex="0"]').count();
  expect(stops).toBe(1);
  await bestFive(page).first().focus();
  await page.keyboard.press('Tab');
  expect(await focusedTile(page)).toBeNull();
});
