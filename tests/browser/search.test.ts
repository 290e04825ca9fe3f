import { expect, test } from 'vitest';
import { pngFile } from './drawing';
import {
  announcement,
  answered,
  base,
  bestFive,
  ids,
  parameter,
  searchBox,
  searchFor,
  restLists,
  similarities,
  sourceChip,
  startTiles,
  theRest,
  useBrowser,
} from './page';

const open = useBrowser();

test('a search shows the five best from left to right, each with its similarity', async () => {
  const { page, errors } = await open('/');
  await searchFor(page, 'a bird');
  expect(await bestFive(page).count()).toBe(5);
  const figures = await similarities(bestFive(page));
  expect(figures.every(Number.isFinite)).toBe(true);
  const answer = await answered(page, 'a bird');
  expect(await ids(bestFive(page))).toEqual(answer.ids.slice(0, 5));
  expect(figures).toEqual(answer.similarities.slice(0, 5));
  const texts = await bestFive(page).allInnerTexts();
  texts.forEach((text, index) => expect(text).toContain(figures[index]?.toFixed(2)));
  const boxes = await Promise.all((await bestFive(page).all()).map((tile) => tile.boundingBox()));
  boxes.slice(1).forEach((box, index) => {
    expect(box?.x).toBeGreaterThan(boxes[index]?.x ?? Infinity);
    expect(box?.y).toBeCloseTo(boxes[0]?.y ?? NaN, 0);
  });
  expect(await page.evaluate(() => location.search)).toBe('?q=a+bird');
  expect(errors).toEqual([]);
});

test('the next forty-five follow in a grid, in the order of the answer', async () => {
  const { page } = await open('/?q=a+car&tab=grid');
  await theRest(page).first().waitFor();
  expect(await theRest(page).count()).toBe(45);
  const five = await similarities(bestFive(page));
  const rest = await similarities(theRest(page));
  const answer = await answered(page, 'a car');
  expect([...five, ...rest]).toEqual(answer.similarities);
  expect(new Set([...(await ids(bestFive(page))), ...(await ids(theRest(page)))]).size).toBe(50);
});

test('the pictures themselves are shown', async () => {
  const { page } = await open('/?q=a+fruit');
  await bestFive(page).first().waitFor();
  const loaded = () =>
    bestFive(page)
      .locator('img')
      .evaluateAll(
        (images) =>
          images.filter(
            (image) => (image as HTMLImageElement).complete && (image as HTMLImageElement).naturalWidth > 0,
          ).length,
      );
  await expect.poll(loaded, { timeout: 20_000 }).toBe(5);
});

test('Enter searches, and the result is announced', async () => {
  const { page } = await open('/');
  await searchBox(page).fill('a flower');
  await searchBox(page).press('Enter');
  await bestFive(page).first().waitFor();
  await expect
    .poll(() => announcement(page).innerText())
    .toMatch(/50 pictures for “a flower”\. The best is .+ 0\.\d\d/);
  expect(await page.title()).toContain('a flower');
});

test('a slash goes to the search bar from anywhere, and stays a letter in it', async () => {
  const { page } = await open('/?q=a+house');
  await bestFive(page).first().focus();
  await page.keyboard.press('/');
  await page.keyboard.type('w/o trees');
  expect(await searchBox(page).inputValue()).toBe('w/o trees');
});

test('reload and a shared address give the same search', async () => {
  const { page } = await open('/?q=a+bird');
  await bestFive(page).first().waitFor();
  const before = await ids(bestFive(page));
  await page.reload();
  await bestFive(page).first().waitFor();
  expect(await ids(bestFive(page))).toEqual(before);
  expect(await searchBox(page).inputValue()).toBe('a bird');
});

test('the start shows the collection and searches to try', async () => {
  const { page, errors } = await open('/');
  await startTiles(page).first().waitFor();
  expect(await startTiles(page).count()).toBeGreaterThan(10);
  const example = page.getByRole('navigation', { name: 'Searches to try' }).getByRole('link').first();
  const text = (await example.innerText()).trim();
  await example.click();
  await bestFive(page).first().waitFor();
  expect(await searchBox(page).inputValue()).toBe(text);
  expect(errors).toEqual([]);
});

test('the start goes on while one scrolls', async () => {
  const { page } = await open('/');
  await startTiles(page).first().waitFor();
  const first = await startTiles(page).count();
  await page.keyboard.press('End');
  await page.mouse.move(640, 600);
  await page.mouse.wheel(0, 20_000);
  await expect.poll(() => startTiles(page).count(), { timeout: 20_000 }).toBeGreaterThan(first);
});

test('a picture from a file is searched by, survives reload, and can be removed', async () => {
  const { page } = await open('/');
  const file = pngFile();
  await page.getByTestId('query-file').setInputFiles(file);
  await bestFive(page).first().waitFor();
  expect(await sourceChip(page).innerText()).toContain(file.name);
  const before = await ids(bestFive(page));

  await page.reload();
  await bestFive(page).first().waitFor();
  expect(await ids(bestFive(page))).toEqual(before);

  await page.getByRole('button', { name: 'Remove the picture from the search' }).click();
  await startTiles(page).first().waitFor();
  expect(await page.evaluate(() => location.search)).toBe('');
  expect(await sourceChip(page).count()).toBe(0);
});

test('a picture and words are searched by together', async () => {
  const { page } = await open('/?q=a+bird&tab=grid');
  await bestFive(page).first().waitFor();
  await bestFive(page).first().click();
  await expect.poll(() => sourceChip(page).count()).toBe(1);
  const alone = await page.getByRole('heading', { level: 1 }).innerText();
  await searchBox(page).fill('in water');
  await searchBox(page).press('Enter');
  await expect
    .poll(() => page.getByRole('heading', { level: 1 }).innerText())
    .toBe(`${alone}, and \u201cin water\u201d`);
  expect(await parameter(page, 'q')).toBe('in water');
  expect(await parameter(page, 'like')).toBeTruthy();
  await page.reload();
  await bestFive(page).first().waitFor();
  expect(await searchBox(page).inputValue()).toBe('in water');
  await page.getByRole('button', { name: 'Remove the picture from the search' }).click();
  await expect.poll(() => parameter(page, 'like')).toBeNull();
  expect(await parameter(page, 'q')).toBe('in water');
});

test('a dropped picture is searched by', async () => {
  const { page } = await open('/');
  await startTiles(page).first().waitFor();
  const { buffer } = pngFile();
  const drag = async (type: string) =>
    page.evaluate(
      ([kind, bytes]) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([new Uint8Array(bytes)], 'dropped.png', { type: 'image/png' }));
        const target = document.querySelector('[data-drop="search"]') ?? document.body;
        target.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
      },
      [type, Array.from(buffer)] as const,
    );
  await drag('dragenter');
  await drag('dragover');
  await page.locator('[data-drop="search"]').waitFor();
  await drag('drop');
  await sourceChip(page).waitFor();
  await expect.poll(() => bestFive(page).count()).toBe(5);
});

test('a pasted picture is searched by', async () => {
  const { page } = await open('/?q=a+house');
  await bestFive(page).first().waitFor();
  const { buffer } = pngFile();
  await page.evaluate((bytes) => {
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([new Uint8Array(bytes)], 'pasted.png', { type: 'image/png' }));
    document.body.dispatchEvent(
      new ClipboardEvent('paste', {
        clipboardData,
        bubbles: true,
        cancelable: true,
      }),
    );
  }, Array.from(buffer));
  await sourceChip(page).waitFor();
  await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe('More like your picture');
  await expect.poll(() => bestFive(page).count()).toBe(5);
  expect(await parameter(page, 'image')).toBeTruthy();
});

test('the same search asked once more is asked anew, Back is not', async () => {
  const { page } = await open('');
  let asked = 0;
  await page.route('**/api/v1/search?*', (route) => {
    asked += 1;
    return route.continue();
  });
  await page.goto(`${base()}/?q=a+bird`);
  await bestFive(page).first().waitFor();
  await searchBox(page).press('Enter');
  await expect.poll(() => asked).toBe(2);
  await searchFor(page, 'a car');
  await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe('“a car”');
  await expect.poll(() => asked).toBe(3);
  await page.goBack();
  await expect.poll(() => searchBox(page).inputValue()).toBe('a bird');
  await bestFive(page).first().waitFor();
  expect(asked).toBe(3);
});

test('the text is cleared by one button', async () => {
  const { page } = await open('/?q=a+bird');
  await page.getByRole('button', { name: 'Clear the text' }).click();
  expect(await searchBox(page).inputValue()).toBe('');
  await page.keyboard.type('a car');
  expect(await searchBox(page).inputValue()).toBe('a car');
});

test('results that are less likely are told apart', async () => {
  const { page } = await open('/?q=a+road+sign&tab=grid');
  await restLists(page).first().waitFor();
  const response = await page.request.get(`${base()}/api/v1/search?limit=50&q=a+road+sign`);
  const { results, relevance } = (await response.json()) as {
    results: { id: string; relevance: string }[];
    relevance: { likely: number };
  };
  expect(relevance.likely).toBeGreaterThan(5);
  expect(relevance.likely).toBeLessThan(50);
  await page.getByTestId('meta').getByText(`${relevance.likely} likely`).waitFor();
  const weak = page
    .getByRole('list', { name: `${50 - relevance.likely} less likely` })
    .locator('a[data-tile]');
  expect(await ids(weak)).toEqual(results.filter((one) => one.relevance === 'weak').map((one) => one.id));
  const names = await weak.evaluateAll((links) => links.map((link) => link.getAttribute('aria-label')));
  expect(names.every((name) => name?.includes(', weak'))).toBe(true);
});

test('what is called what was written is named above the results', async () => {
  const { page } = await open('/');
  await searchFor(page, 'beetle');
  const named = page.getByTestId('by-name');
  expect(await named.innerText()).toMatch(/^By name: beetle\.png/);
  expect(await bestFive(page).count()).toBe(5);
  await named.getByRole('link', { name: 'beetle.png' }).click();
  await page.getByRole('heading', { name: 'More like beetle.png' }).waitFor();
});

test('filters alone list the newest, and a wrong one is explained', async () => {
  const { page, errors } = await open('/');
  await searchFor(page, 'label:auto -name:beetle');
  expect(await page.getByTestId('meta').innerText()).toContain('newest first');
  expect((await bestFive(page).allInnerTexts()).join()).not.toContain('beetle');
  await searchBox(page).fill('cat after:yesterday');
  await searchBox(page).press('Enter');
  await page.getByText('such as 2020, 2020-05 or 2020-05-31').waitFor();
  expect(errors.filter((error) => !error.includes('422'))).toEqual([]);
});
