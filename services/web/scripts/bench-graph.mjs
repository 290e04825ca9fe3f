// Times the graph of fifty in Chromium with software rendering: until it is drawn, and a frame while it is panned.
// `npm run bench:graph`; PAGE_URL for a running Sightline.
import { findPage, launch, median, printTable, quantile } from './browser.mjs';

const MOVES = 120;

const { url, close } = await findPage();
const browser = await launch();
try {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(() => {
    const seen = {};
    window.seen = seen;
    const look = () => {
      const panel = document.querySelector('[data-testid="graph"]');
      if (panel) seen.opened ??= performance.now();
      if (panel?.querySelector('.sigma-mouse')) seen.drawn ??= performance.now();
      if (panel?.getAttribute('data-settled') === 'true') seen.settled ??= performance.now();
      if (panel?.getAttribute('data-complete') === 'true') seen.complete ??= performance.now();
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
  });
  await page.goto(`${url}/?q=a+bird&tab=grid`);
  await page.getByRole('tab', { name: 'Graph' }).waitFor();
  const clicked = await page.evaluate(() => performance.now());
  await page.getByRole('tab', { name: 'Graph' }).click();
  await page.locator('[data-testid="graph"][data-settled="true"][data-complete="true"]').waitFor();
  const seen = await page.evaluate(() => window.seen);
  await page.locator('.sigma-mouse').evaluate((canvas) => canvas.scrollIntoView({ block: 'center' }));

  await page.evaluate(() => {
    const frames = [];
    window.frames_ = frames;
    let before = performance.now();
    const frame = (now) => {
      frames.push(now - before);
      before = now;
      window.panning = requestAnimationFrame(frame);
    };
    window.panning = requestAnimationFrame(frame);
  });
  const box = await page.locator('.canvas').boundingBox();
  const [x, y] = [box.x + 10, box.y + box.height - 10];
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (let move = 0; move < MOVES; move += 1) {
    await page.mouse.move(x + 150 * Math.sin(move / 12), y - 100 * Math.abs(Math.sin(move / 17)));
  }
  await page.mouse.up();
  const frames = (await page.evaluate(() => window.frames_)).slice(2);
  printTable([
    ['the graph of fifty, software rendering', 'ms'],
    ['from the click on its tab until it is drawn', (seen.drawn - clicked).toFixed(0)],
    ['until it stands still', (seen.settled - clicked).toFixed(0)],
    ['until all pictures are in it', (seen.complete - clicked).toFixed(0)],
    [`a frame while panning, median of ${frames.length}`, median(frames).toFixed(1)],
    ['a frame while panning, 95th percentile', quantile(frames, 0.95).toFixed(1)],
  ]);
} finally {
  await browser.close();
  await close();
}
