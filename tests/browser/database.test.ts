import { expect, test } from 'vitest';
import { COMMAND, degraded, healthy, MESSAGE, state } from './database-states';
import { base, startTiles, useBrowser } from './page';

const open = useBrowser();

test('a lost node is told in the header, with the command to run, by keyboard too', async () => {
  const { page } = await open('');
  await page.route('**/api/v1/ingest', (route) => route.fulfill({ json: { ...state, database: degraded } }));
  await page.goto(base());
  const notice = page.getByRole('status').filter({ hasText: MESSAGE });
  await notice.waitFor();
  await page.getByRole('button', { name: 'Collection: 696 indexed, the database needs attention' }).waitFor();
  const more = notice.getByRole('button', { name: 'What to do' });
  await more.focus();
  await page.keyboard.press('Enter');
  const details = page.getByRole('region', { name: 'The database' });
  await details.getByText('2 of 3 nodes answer').waitFor();
  await details.getByText('8 of 12 copies answer, 1 being made').waitFor();
  await details.getByText('No answer from qdrant-2').waitFor();
  await details.getByText(COMMAND).waitFor();
  await details.getByRole('button', { name: 'Copy the command' }).click();
  await details.getByRole('button', { name: 'Command copied' }).waitFor();
  await page.keyboard.press('Escape');
  await expect.poll(() => details.isVisible()).toBe(false);
});

test('searches go on, and the notice goes once all is well', async () => {
  const { page } = await open('');
  let database: typeof healthy = degraded;
  await page.route('**/api/v1/ingest', (route) =>
    route.fulfill({ json: { ...state, pending: 1, database } }),
  );
  await page.goto(base());
  await page.getByText(MESSAGE).waitFor();
  await startTiles(page).first().waitFor();
  database = healthy;
  await page.getByText(MESSAGE).waitFor({ state: 'detached' });
});

test('one server is one of one where details are shown, and nowhere else', async () => {
  const { page } = await open('');
  await page.route('**/api/v1/ingest', (route) => route.fulfill({ json: { ...state, database: healthy } }));
  await page.goto(base());
  await page.getByRole('button', { name: 'Collection: 696 indexed', exact: true }).click();
  const details = page.getByRole('region', { name: 'The database' });
  await details.getByText('1 of 1 node answers').waitFor();
  expect(await page.getByTestId('database-notice').innerText()).toBe('');
});
