import { client, dataOf } from './client';
import type { FailurePage, IngestState, LeftOut } from './types';

/** A rescan takes so many pictures at once. */
const MAX_IDS = 1000;

export function getIngest(): Promise<IngestState> {
  return dataOf(client.GET('/api/v1/ingest'));
}

export function getFailures(cursor: string | null): Promise<FailurePage> {
  return dataOf(client.GET('/api/v1/ingest/failures', { params: { query: cursor ? { cursor } : {} } }));
}

/** What the last scan left out, by kind. */
export function getLeftOut(): Promise<LeftOut> {
  return dataOf(client.GET('/api/v1/ingest/left-out'));
}

/** Has the bucket looked through again. */
export async function rescan(): Promise<void> {
  await dataOf(client.POST('/api/v1/ingest/rescan', { body: {} }));
}

/** Has the pictures taken out of the search that are held and were missing at a moment: they are really gone. */
export async function confirmLoss(until: string): Promise<void> {
  await dataOf(client.POST('/api/v1/ingest/confirm-loss', { body: { until } }));
}

/** Tries failed pictures again now; how many of them wait again. */
export async function retryImages(ids: readonly string[]): Promise<number> {
  let retried = 0;
  for (let from = 0; from < ids.length; from += MAX_IDS) {
    const body = { ids: ids.slice(from, from + MAX_IDS) };
    retried += (await dataOf(client.POST('/api/v1/ingest/rescan', { body }))).retried ?? 0;
  }
  return retried;
}
