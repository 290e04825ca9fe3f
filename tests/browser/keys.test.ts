import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEYS, startFixture } from '../../services/web/tests/fixture/server.mjs';
import { pngFile } from './drawing';
import { notice, searchBox, startTiles, useBrowser } from './page';

const open = useBrowser();

/** A Sightline that asks for keys: the one that KEYS_URL names, or the fixture. */
let url = process.env.KEYS_URL ?? '';
let stop: () => Promise<void> = async () => {};

beforeAll(async () => {
  if (url) return;
  const fixture = await startFixture({ keys: true });
  url = fixture.url;
  stop = fixture.close;
});
afterAll(() => stop());

const dialog = (page: Page): Locator => page.getByRole('dialog', { name: /for a key$/ });
const field = (page: Page): Locator => dialog(page).getByLabel('Key', { exact: true });
const problem = (page: Page): Locator => dialog(page).getByRole('alert');

async function enter(page: Page, key: string, { remember = false } = {}): Promise<void> {
  await field(page).fill(key);
  if (remember)
    await dialog(page)
      .getByRole('checkbox', { name: /Keep me signed in/ })
      .check();
  await dialog(page).getByRole('button', { name: 'Sign in' }).click();
}

async function signedIn(key: string, path = '/'): Promise<Page> {
  const { page } = await open('');
  await page.goto(url + path);
  await enter(page, key);
  await dialog(page).waitFor({ state: 'detached' });
  return page;
}

async function grave(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`);
}

const session = async (page: Page) =>
  (await page.context().cookies()).find(({ name }) => name === 'sightline_session');

test('a page that may not read asks for a key, by keyboard alone, and goes on where it was', async () => {
  const { page, errors } = await open('');
  await page.goto(`${url}/?q=a+bird&tab=grid`);
  await field(page).waitFor();
  await expect.poll(() => field(page).evaluate((input) => input === document.activeElement)).toBe(true);
  // It is asked for without a header: the cookie alone lets it through.
  const picture = page.waitForResponse((answer) => answer.request().resourceType() === 'image');
  await page.keyboard.type(KEYS.read);
  await page.keyboard.press('Enter');
  await page.getByRole('list', { name: /^The best \d/ }).waitFor();
  expect((await picture).status()).toBe(200);
  expect(await dialog(page).count()).toBe(0);
  expect(errors.filter((each) => !each.includes('401'))).toEqual([]);
});

test('a wrong key is refused in words, and the right one may be entered after it', async () => {
  const { page } = await open('');
  await page.goto(url);
  await dialog(page).getByRole('button', { name: 'Sign in' }).click();
  await expect.poll(() => problem(page).innerText()).toBe('Enter a key.');
  await enter(page, 'none-of-the-keys-here');
  await expect.poll(() => problem(page).innerText()).toContain('none of the keys');
  expect(await field(page).getAttribute('aria-invalid')).toBe('true');
  expect(await field(page).evaluate((input) => input === document.activeElement)).toBe(true);
  await enter(page, KEYS.read);
  await startTiles(page).first().waitFor();
});

test('the cookie is out of reach of scripts and of other sites, and goes with the browser', async () => {
  const page = await signedIn(KEYS.change);
  expect(await session(page)).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/', expires: -1 });
  const kept = await page.evaluate(() =>
    JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]),
  );
  expect(kept).not.toContain(KEYS.change);
  expect(kept).not.toContain('sightline_session');
  expect((await session(page))?.value).not.toContain(KEYS.change);
});

test('it lasts where that is asked for, and until signing out', async () => {
  const { page } = await open('');
  await page.goto(url);
  await enter(page, KEYS.read, { remember: true });
  await startTiles(page).first().waitFor();
  const days = ((await session(page))?.expires ?? 0) / 86_400 - Date.now() / 86_400_000;
  expect(days).toBeGreaterThan(29);
  await page.reload();
  await startTiles(page).first().waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await field(page).waitFor();
  expect(await session(page)).toBeUndefined();
  expect(await startTiles(page).count()).toBe(0);
});

test('Escape closes it; the page says what is missing, and opens it again', async () => {
  const { page } = await open('');
  await page.goto(url);
  await field(page).waitFor();
  await page.keyboard.press('Escape');
  await dialog(page).waitFor({ state: 'detached' });
  await notice(page).getByText('A key is needed').waitFor();
  await notice(page).getByRole('button', { name: 'Sign in' }).click();
  await enter(page, KEYS.read);
  await startTiles(page).first().waitFor();
});

describe('what a visitor may not do is not there', () => {
  const CHANGES = /^(Add|Retry|Scan again|Delete|Choose pictures|Make the map|Map$)/;

  async function looks(page: Page): Promise<Record<string, number>> {
    const found: Record<string, number> = {};
    const changes = () => page.getByRole('button', { name: CHANGES }).count();
    await page.goto(url);
    await startTiles(page).first().waitFor();
    found.start = await changes();
    await page.getByRole('button', { name: /^Collection: / }).click();
    await page.getByRole('dialog', { name: 'The state of the collection' }).getByText('Indexed').waitFor();
    found.panel = await changes();
    await page.goto(`${url}/?page=collection`);
    await page.getByRole('button', { name: 'Select', exact: true }).click();
    await page.getByTestId('selection-bar').waitFor();
    found.collection = await changes();
    await page.goto(`${url}/?page=map`);
    await page.getByRole('heading', { name: 'Lay out your pictures as a map' }).waitFor();
    found.map = await changes();
    return found;
  }

  test('with a key that only reads', async () => {
    const page = await signedIn(KEYS.read);
    expect(await looks(page)).toEqual({ start: 0, panel: 0, collection: 0, map: 0 });
    await page.getByTestId('look-only').waitFor();
  });

  test('and is with one that may change', async () => {
    const page = await signedIn(KEYS.change);
    for (const [view, count] of Object.entries(await looks(page))) expect(count, view).toBeGreaterThan(0);
  });
});

test('a change after the session has ended asks for a key, and is done then', async () => {
  const page = await signedIn(KEYS.change);
  await startTiles(page).first().waitFor();
  await page.context().clearCookies();
  const file = pngFile();
  await page.getByTestId('add-files').setInputFiles(file);
  await field(page).waitFor();
  expect(await dialog(page).innerText()).toContain('Changes ask for a key');
  await enter(page, KEYS.read);
  await expect.poll(() => problem(page).innerText()).toContain('change nothing');
  await enter(page, KEYS.change);
  const row = page.getByTestId('uploads').getByRole('listitem').filter({ hasText: file.name });
  const link = row.getByRole('link');
  await link.waitFor({ timeout: 50_000 });
  const id = new URL((await link.getAttribute('href')) ?? '', url).searchParams.get('like');
  await page.evaluate((each) => fetch(`/api/v1/images/${each}`, { method: 'DELETE' }), id);
});

describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
  test.each([1280, 390, 320])('the dialog has no violation and fits, %i pixels wide', async (width) => {
    const { page } = await open('', {
      colorScheme,
      reducedMotion: 'reduce',
      viewport: { width, height: 740 },
    });
    await page.goto(url);
    await field(page).waitFor();
    expect(await grave(page)).toEqual([]);
    await enter(page, 'none-of-the-keys-here');
    await problem(page).getByText('none of the keys').waitFor();
    expect(await grave(page)).toEqual([]);
    expect(await dialog(page).evaluate((each) => each.scrollWidth - each.clientWidth)).toBe(0);
    await page.keyboard.press('Escape');
    await notice(page).waitFor();
    expect(await grave(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    await page.getByRole('banner').getByRole('button', { name: 'Sign in' }).click();
    await enter(page, KEYS.read);
    await startTiles(page).first().waitFor();
    await searchBox(page).focus();
    expect(await grave(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  });
});
