// Measures the built page in Chromium: first and largest contentful paint, total blocking time, layout shift, script.
// `npm run vitals`; PAGE_URL for a running Sightline, RUNS for how often each view is loaded (the median is shown).
import { findPage, launch, median, printTable } from './browser.mjs';

const RUNS = Number(process.env.RUNS ?? 3);
const QUIET_MS = 1500;
const VIEWS = {
  start: '/',
  'search, graph': '/?q=a+bird',
  'search, grid': '/?q=a+bird&tab=grid',
  'search, table': '/?q=a+bird&tab=table',
  map: '/?page=map',
  collection: '/?page=collection',
};

/** Runs in the page, before anything of it. */
function watch() {
  const seen = { fcp: 0, lcp: 0, shift: 0, tasks: [], last: 0 };
  window.vitals = seen;
  const on = (type, each) =>
    new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true });
  on('paint', (entry) => {
    if (entry.name === 'first-contentful-paint') seen.fcp = entry.startTime;
  });
  on('largest-contentful-paint', (entry) => (seen.lcp = entry.startTime));
  on('layout-shift', (entry) => {
    if (!entry.hadRecentInput) seen.shift += entry.value;
  });
  on('longtask', (entry) => {
    seen.tasks.push([entry.startTime, entry.duration]);
    seen.last = entry.startTime + entry.duration;
  });
}

async function measure(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(watch);
  await page.goto(url, { waitUntil: 'load' });
  await page.waitForFunction(
    (quiet) => {
      const scripts = performance.getEntriesByType('resource').map((entry) => entry.responseEnd);
      return performance.now() - Math.max(window.vitals.last, ...scripts) > quiet;
    },
    QUIET_MS,
    { timeout: 30_000 },
  );
  const figures = await page.evaluate(() => {
    const { fcp, lcp, shift, tasks } = window.vitals;
    const blocking = tasks.filter(([start]) => start >= fcp).reduce((sum, [, took]) => sum + took - 50, 0);
    const script = performance
      .getEntriesByType('resource')
      .filter(({ name }) => /\.js(\?|$)/.test(name))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
    return { fcp, lcp, blocking, shift, script: script / 1000 };
  });
  await context.close();
  return figures;
}

const { url, close } = await findPage();
const browser = await launch();
const rows = [['view', 'first paint ms', 'largest paint ms', 'blocking ms', 'layout shift', 'script kB']];
try {
  for (const [name, path] of Object.entries(VIEWS)) {
    const runs = [];
    for (let run = 0; run < RUNS; run += 1) runs.push(await measure(browser, url + path));
    const of = (figure) => median(runs.map((run) => run[figure]));
    rows.push([
      name,
      of('fcp').toFixed(0),
      of('lcp').toFixed(0),
      of('blocking').toFixed(0),
      of('shift').toFixed(3),
      of('script').toFixed(1),
    ]);
  }
} finally {
  await browser.close();
  await close();
}
printTable(rows);
console.log(`\nmedian of ${RUNS}, ${url}, Chromium without a GPU, 1440 x 900, nothing throttled`);
