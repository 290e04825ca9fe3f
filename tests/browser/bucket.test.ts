import { expect, test } from 'vitest';
import { state } from './database-states';
import { base, startTiles, useBrowser } from './page';

const open = useBrowser();

const MESSAGE =
  '412 of 2,000 pictures are gone at once: is a disk not mounted? They stay in search meanwhile.';
const held = {
  count: 412,
  of: 2000,
  since: '2026-11-24T08:00:00Z',
  examples: ['archive/1998/0001.jpg', 'archive/1998/0002.jpg'],
  message: MESSAGE,
};

test('a loss that is held is told, and goes once an owner has confirmed it', async () => {
  const { page } = await open('');
  let now: object = { ...state, held };
  const confirmed: unknown[] = [];
  await page.route('**/api/v1/ingest', (route) => route.fulfill({ json: now }));
  await page.route('**/api/v1/ingest/confirm-loss', (route) => {
    confirmed.push(route.request().postDataJSON());
    now = state;
    return route.fulfill({ status: 202, json: { queued: true, held: 412 } });
  });
  await page.goto(base());
  const notice = page.getByRole('status').filter({ hasText: MESSAGE });
  await notice.waitFor();
  await startTiles(page).first().waitFor();
  await page.getByRole('button', { name: 'Collection: 696 indexed, 412 missing' }).waitFor();
  await notice.getByRole('button', { name: 'What to do' }).click();
  const details = page.getByRole('region', { name: 'The bucket' });
  await details.getByRole('heading', { name: '412 pictures are missing' }).waitFor();
  await details.getByText('archive/1998/0001.jpg').waitFor();
  await details.getByText('and 410 more').waitFor();
  await details.getByRole('button', { name: 'They are really gone' }).click();
  await details.getByRole('button', { name: 'Keep them' }).click();
  expect(confirmed).toEqual([]);
  await details.getByRole('button', { name: 'They are really gone' }).click();
  await details.getByRole('button', { name: 'Yes, take them out' }).click();
  await details.waitFor({ state: 'detached' });
  await notice.waitFor({ state: 'detached' });
  expect(confirmed).toEqual([{ until: expect.stringMatching(/^20\d\d-/) as string }]);
});

test('a bucket that cannot be reached is told, and searches go on', async () => {
  const { page } = await open('');
  const message = 'the bucket /srv/pictures is not there; is its disk mounted? Is BUCKET_URL right?';
  await page.route('**/api/v1/ingest', (route) =>
    route.fulfill({ json: { ...state, bucket: { message, since: '2026-11-24T08:00:00Z' } } }),
  );
  await page.goto(base());
  await page.getByTestId('bucket-notice').getByText('The bucket /srv/pictures is not there').waitFor();
  await page
    .getByRole('button', { name: 'Collection: 696 indexed, the bucket cannot be reached' })
    .first()
    .click();
  await page.getByRole('heading', { name: 'The bucket cannot be reached' }).waitFor();
  await page.keyboard.press('Escape');
  await startTiles(page).first().waitFor();
});
