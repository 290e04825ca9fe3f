import { expect, test } from 'vitest';
import { base, bestFive, focusedTile, ids, parameter, sourceChip, theRest, useBrowser } from './page';
import type { Page } from 'playwright-core';

const open = useBrowser();
const rows = (page: Page) => page.getByRole('region', { name: 'Results as a table' }).locator('tbody tr');
const cells = (page: Page, column: string) => rows(page).locator(`.${column}`).allInnerTexts();
const links = (page: Page) => rows(page).getByRole('link');

test('the results are a table with all that is known of each', async () => {
  const { page, errors } = await open('/?q=a+bird');
  await page.getByRole('tab', { name: 'Table' }).click();
  await expect.poll(() => rows(page).count()).toBe(50);
  const heads = await page.getByRole('columnheader').allInnerTexts();
  expect(heads.map((head) => head.trim())).toEqual([
    'Picture',
    'Name',
    'Label',
    'Similarity',
    'Date',
    'Size',
    'Camera',
  ]);
  expect((await ids(links(page))).slice(0, 5)).toEqual(await ids(bestFive(page)));
  const image = rows(page).first().locator('img');
  await expect
    .poll(() => image.evaluate((each) => (each as HTMLImageElement).naturalWidth))
    .toBeGreaterThan(0);
  expect(await parameter(page, 'tab')).toBe('table');
  expect(errors).toEqual([]);
});

test('the heads sort one way, the other way, and back to the ranking; the address holds it', async () => {
  const { page } = await open('/?q=a+bird&tab=table');
  await expect.poll(() => rows(page).count()).toBe(50);
  const ranking = await ids(links(page));
  const head = page.getByRole('columnheader', { name: 'Name' });
  const sortedNames = (names: string[]) =>
    [...names].sort(new Intl.Collator('en', { numeric: true, sensitivity: 'base' }).compare);
  await head.getByRole('button').click();
  expect(await head.getAttribute('aria-sort')).toBe('ascending');
  const names = await cells(page, 'name');
  expect(names).toEqual(sortedNames(names));
  await head.getByRole('button').click();
  expect(await head.getAttribute('aria-sort')).toBe('descending');
  expect(await parameter(page, 'sort')).toBe('-name');
  const falling = await ids(links(page));
  await page.reload();
  await expect.poll(() => rows(page).count()).toBe(50);
  expect(await ids(links(page))).toEqual(falling);
  await head.getByRole('button').click();
  expect(await ids(links(page))).toEqual(ranking);
});

test('up and down move between its rows, Space shows large, Enter searches', async () => {
  const { page } = await open('/?q=a+bird&tab=table');
  await expect.poll(() => rows(page).count()).toBe(50);
  const order = await ids(links(page));
  await links(page).nth(6).focus();
  await page.keyboard.press('ArrowDown');
  expect(await focusedTile(page)).toBe(order[7]);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  expect(await focusedTile(page)).toBe(order[5]);
  await page.keyboard.press(' ');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await expect.poll(() => focusedTile(page)).toBe(order[5]);
  await page.keyboard.press('Enter');
  await sourceChip(page).waitFor();
  expect(await parameter(page, 'like')).toBe(order[5]);
  expect(await parameter(page, 'tab')).toBe('table');
});

test('graph, grid and table are switched by mouse, by keyboard, and by Back', async () => {
  const { page } = await open('/?q=a+bird');
  const tab = (name: string) => page.getByRole('tab', { name });
  expect(await tab('Graph').getAttribute('aria-selected')).toBe('true');
  await tab('Grid').click();
  await expect.poll(() => theRest(page).count()).toBe(45);
  await tab('Grid').press('ArrowRight');
  await expect.poll(() => rows(page).count()).toBe(50);
  expect(await tab('Table').evaluate((element) => element === document.activeElement)).toBe(true);
  await page.goBack();
  await expect.poll(() => theRest(page).count()).toBe(45);
  await page.goBack();
  await page.getByTestId('graph').waitFor();
  await page.goto(`${base()}/?q=a+bird&tab=grid&sort=-date`);
  await expect.poll(() => theRest(page).count()).toBe(45);
});
