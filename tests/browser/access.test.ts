import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { graveViolations } from './accessibility';
import { degraded, state } from './database-states';
import {
  base,
  bestFive,
  notice,
  problem,
  settledGraph,
  startTiles,
  breadcrumbs,
  useBrowser,
  graphCard,
} from './page';

const open = useBrowser();

const VIEWS: Record<string, (page: Page) => Promise<void>> = {
  start: async (page) => {
    await page.goto(base());
    await startTiles(page).first().waitFor();
  },
  results: async (page) => {
    await page.goto(`${base()}/?q=a+bird&tab=grid`);
    await bestFive(page).first().waitFor();
    await bestFive(page).first().focus();
  },
  'the graph': async (page) => {
    await page.goto(`${base()}/?q=a+bird`);
    await settledGraph(page);
    await page.locator('[data-node][tabindex="0"]').focus();
    await graphCard(page).waitFor();
  },
  'the graph after a step, with a group hidden': async (page) => {
    await page.goto(`${base()}/?q=a+bird`);
    await bestFive(page).first().click();
    await breadcrumbs(page).first().waitFor();
    await settledGraph(page);
    await page.locator('.legend').evaluate((legend) => legend.setAttribute('open', ''));
    await page.locator('.legend li button').first().click();
  },
  'the table': async (page) => {
    await page.goto(`${base()}/?q=a+bird&tab=table&sort=-name`);
    await page.getByRole('table').waitFor();
  },
  'nothing like it': async (page) => {
    await page.route('**/api/v1/search?*', async (route) => {
      const answer = await route.fetch();
      const relevance = { found: false, threshold: 0.9, relevant: 0, message: 'Nothing here looks so.' };
      await route.fulfill({ response: answer, json: { ...(await answer.json()), relevance } });
    });
    await page.goto(`${base()}/?q=a+bird&tab=grid`);
    await page.getByTestId('doubt').waitFor();
  },
  'more like this': async (page) => {
    await VIEWS.start?.(page);
    await startTiles(page).first().click();
    await bestFive(page).first().waitFor();
  },
  'the larger view': async (page) => {
    await VIEWS.results?.(page);
    await page.keyboard.press(' ');
    await page.getByRole('dialog').getByRole('img').waitFor();
  },
  'the collection panel': async (page) => {
    await VIEWS.start?.(page);
    await page.getByRole('button', { name: /^Collection: / }).click();
    await page.getByRole('button', { name: 'Scan again' }).waitFor();
  },
  'a lost database node, and its panel': async (page) => {
    await page.route('**/api/v1/ingest', (route) =>
      route.fulfill({ json: { ...state, database: degraded } }),
    );
    await VIEWS.start?.(page);
    await page.getByRole('button', { name: 'What to do' }).click();
    await page.getByText('8 of 12 copies').waitFor();
  },
  'an error': async (page) => {
    await page.route('**/api/v1/search?*', (route) =>
      route.fulfill(
        problem('encoder-unavailable', 503, 'No encoder answers.', {
          'retry-after': '60',
        }),
      ),
    );
    await page.goto(`${base()}/?q=a+bird`);
    await notice(page).waitFor();
  },
  'refused files': async (page) => {
    await VIEWS.start?.(page);
    await page.route('**/api/v1/images', (route) =>
      route.fulfill(problem('not-a-picture', 422, 'broken.png: not an image (text?)')),
    );
    await page.route('**/api/v1/ingest', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({
        response: answer,
        json: { ...(await answer.json()), writable: true },
      });
    });
    await page.reload();
    await page.getByRole('button', { name: /^Collection: \d/ }).waitFor();
    const file = {
      name: 'broken.png',
      mimeType: 'image/png',
      buffer: Buffer.from('x'),
    };
    await page.getByTestId('add-files').setInputFiles(file);
    await page.getByTestId('uploads').getByText('not an image').waitFor();
  },
};

test.each(Object.keys(VIEWS))('%s has no serious or critical violation', async (name) => {
  const { page } = await open('', { colorScheme: 'light', reducedMotion: 'reduce' });
  await VIEWS[name]?.(page);
  expect(await graveViolations(page)).toEqual([]);
});

test.each([
  'start',
  'results',
  'the graph',
  'the graph after a step, with a group hidden',
  'the table',
  'more like this',
  'the larger view',
  'the collection panel',
  'an error',
])('on a phone, from 320 pixels on, %s does not scroll sideways', async (name) => {
  const { page } = await open('', {
    viewport: { width: 320, height: 700 },
    hasTouch: true,
    isMobile: true,
  });
  await VIEWS[name]?.(page);
  for (const width of [320, 390, 768]) {
    await page.setViewportSize({ width, height: 700 });
    // Rows of pictures are laid out anew a moment after the window has another width.
    const tooWide = () =>
      page.evaluate(() =>
        [document.documentElement, ...document.querySelectorAll<HTMLElement>('dialog, [popover]')]
          .filter((element) => element.scrollWidth > element.clientWidth)
          .map(({ tagName }) => tagName),
      );
    await expect.poll(tooWide).toEqual([]);
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  }
});

test('the chosen colours last', async () => {
  const { page } = await open('/', { colorScheme: 'light' });
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  const toggle = page.getByRole('button', { name: /^Colours: / });
  await toggle.click();
  await toggle.click();
  await expect.poll(() => toggle.getAttribute('aria-label')).toContain('dark');
  const dark = await background();
  expect(dark).not.toBe(light);
  await page.reload();
  expect(await background()).toBe(dark);
});

test('the page may be used without a mouse from its first stop on', async () => {
  const { page } = await open('/?q=a+bird');
  await bestFive(page).first().waitFor();
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.tile)).toBeTruthy();
});

test('a policy without unsafe-inline and unsafe-eval is enough', async () => {
  const { page, errors } = await open('');
  const answer = await page.goto(base());
  const policy = answer?.headers()['content-security-policy'] ?? '';
  expect(policy).toMatch(/script-src 'self'|default-src 'self'/);
  expect(policy).not.toContain('unsafe');
  await startTiles(page).first().waitFor();
  await startTiles(page).first().click();
  await settledGraph(page);
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as PNG' }).click();
  await saved;
  await bestFive(page).first().focus();
  await page.keyboard.press(' ');
  await page.getByRole('dialog').getByRole('img').waitFor();
  expect(errors).toEqual([]);
});
