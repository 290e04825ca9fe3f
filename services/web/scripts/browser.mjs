// A browser for the commands that measure and picture the page, and the page that they look at.
import { chromium } from 'playwright-core';
import { startFixture } from '../tests/fixture/server.mjs';

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
}

/** PAGE_URL, a running Sightline; without it the built page over a made-up collection. */
export async function findPage() {
  if (process.env.PAGE_URL) return { url: process.env.PAGE_URL.replace(/\/$/, ''), close: async () => {} };
  return startFixture();
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
}

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Rows as a table of equal columns; the first row is the head. */
export function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  for (const row of rows) {
    console.log(
      row
        .map((cell, at) => (at ? String(cell).padStart(widths[at]) : String(cell).padEnd(widths[0])))
        .join('  '),
    );
  }
}
