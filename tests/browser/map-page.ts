/** What the tests of the map share: a map that the services have made, and the page that shows it. */
import type { Page } from 'playwright-core';
import { expect, vi } from 'vitest';
import { base, parameter } from './page';

export interface MadeMap {
  id: string;
  state: string;
  labels: string[];
  points: { ids: string[]; x: number[]; y: number[] } | null;
}

export const map = (page: Page) => page.getByTestId('map');
export const selection = (page: Page) => page.getByTestId('selection');
export const legend = (page: Page) => page.getByRole('list', { name: /^Legend/ });
export const mapOf = (page: Page) => parameter(page, 'map');

export async function readMap(id: string): Promise<MadeMap> {
  return (await (await fetch(`${base()}/api/v1/maps/${id}`)).json()) as MadeMap;
}

/** Asks the services for a map, and waits until it is there. */
export async function makeMap(request: object): Promise<MadeMap> {
  const asked = await fetch(`${base()}/api/v1/maps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sample: 500, perplexity: 20, ...request }),
  });
  const { id } = (await asked.json()) as MadeMap;
  await vi.waitFor(async () => expect((await readMap(id)).state).toBe('done'), {
    timeout: 60_000,
    interval: 500,
  });
  return readMap(id);
}

/** The map as it is, with something about it changed. */
export async function changed(page: Page, id: string, change: object): Promise<void> {
  const body = { ...(await readMap(id)), ...change };
  await page.route(new RegExp(`/api/v1/maps/${id}(\\?|$)`), (route) =>
    route.request().method() === 'GET' ? route.fulfill({ json: body }) : route.fallback(),
  );
}

export async function openMap(page: Page, id: string, more = ''): Promise<void> {
  await page.goto(`${base()}/?page=map&map=${id}${more}`);
  await page.getByRole('toolbar', { name: 'The map' }).waitFor();
}
