// Times the map with many points in headless Chromium, drawn in software: `npm run bench:map [POINTS]`.
// It drives the built page (npm run build) over the fixture, under the page's own policy.
import { chromium } from 'playwright-core';
import { cpus } from 'node:os';
import { startFixture } from '../tests/fixture/server.mjs';

const POINTS = Number(process.argv[2] ?? 100_000);
const FRAMES = 120;
const SIZE = { width: 1280, height: 800 };

const fixture = await startFixture();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
try {
  const context = await browser.newContext({ viewport: SIZE });
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`${fixture.url}/?page=map&map=big-${POINTS}`);
  await page.getByRole('toolbar', { name: 'The map' }).waitFor({ timeout: 120_000 });
  // From the moment the points have come to the first frame in which the canvas holds them.
  const first = await page.evaluate(async () => {
    const answer = performance.getEntriesByType('resource').find((entry) => /\/maps\/big-/.test(entry.name));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return { opened: performance.now(), answered: answer?.responseEnd ?? 0 };
  });
  const box = await page.getByTestId('map').boundingBox();
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  await page.mouse.move(middle.x, middle.y);
  await page.mouse.down();
  // A hand that goes in circles; each frame is as long as the browser takes from one to the next.
  const times = await page.evaluate(
    async ({ frames, middle: { x, y } }) => {
      const map = document.querySelector('[data-testid="map"]');
      const found = [];
      let before = await new Promise(requestAnimationFrame);
      for (let n = 1; n <= frames; n += 1) {
        const at = { clientX: x + 160 * Math.sin(n / 9), clientY: y + 120 * Math.sin(n / 7) };
        map.dispatchEvent(new PointerEvent('pointermove', { pointerId: 1, bubbles: true, ...at }));
        const now = await new Promise(requestAnimationFrame);
        found.push(now - before);
        before = now;
      }
      return found;
    },
    { frames: FRAMES, middle },
  );
  await page.mouse.up();
  if (errors.length > 0) throw new Error(errors.join('; '));
  const sorted = times.slice(5).sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const rows = [
    ['points', POINTS.toLocaleString('en')],
    ['from opening the page to the first picture of the map', `${Math.round(first.opened)} ms`],
    ['of these after the points had come', `${Math.round(first.opened - first.answered)} ms`],
    ['a frame while panning, median', `${at(0.5).toFixed(1)} ms`],
    ['a frame while panning, 95th percentile', `${at(0.95).toFixed(1)} ms`],
  ];
  console.log(`${cpus().length} x ${cpus()[0].model}, ${await browser.version()}, WebGL in software`);
  for (const [what, value] of rows) console.log(`${what.padEnd(56)}${value.padStart(12)}`);
} finally {
  await browser.close();
  await fixture.close();
}
