import type { IngestState } from './api/types';
import { count } from './format';

const BUSY_MS = 1_000;
const QUIET_MS = 15_000;

export function nextPollMilliseconds(state: IngestState | null, unknown: boolean): number {
  if (unknown || state === null) return 5_000;
  return state.pending > 0 || state.scanning || state.model_change ? BUSY_MS : QUIET_MS;
}

/** The share of pictures that are settled, indexed or failed, from 0 to 1; 1 for an empty collection. */
export function settledShare(state: IngestState): number {
  const counts = state.model_change ?? state;
  const settled = counts.indexed + counts.failed;
  const all = settled + counts.pending;
  return all === 0 ? 1 : settled / all;
}

/** A few words for the corner. */
export function ingestSummary(state: IngestState): string {
  const change = state.model_change;
  if (change) return `${count(change.indexed)} of ${count(change.indexed + change.pending)}`;
  if (state.pending > 0) return `${count(state.indexed)} of ${count(state.indexed + state.pending)}`;
  return state.indexed === 1 ? '1 picture' : `${count(state.indexed)} pictures`;
}

/** The same as a sentence, for screen readers. */
export function ingestSentence(state: IngestState): string {
  const parts = [`${count(state.indexed)} indexed`];
  if (state.pending > 0) parts.push(`${count(state.pending)} pending`);
  if (state.failed > 0) parts.push(`${count(state.failed)} failed`);
  if (state.model_change) parts.push(modelChangeSentence(state.model_change));
  if (state.database?.message) parts.push('the database needs attention');
  if (state.bucket) parts.push('the bucket cannot be reached');
  if (state.held) parts.push(`${count(state.held.count)} missing`);
  if (state.disk) parts.push('a disk is full');
  if (state.services) parts.push('a service needs attention');
  return `Collection: ${parts.join(', ')}`;
}

/** What is wrong with the bucket, as a sentence; empty while nothing is. */
export function bucketMessage(state: IngestState): string {
  return sentence(state.bucket?.message ?? state.held?.message ?? '');
}

/** A message with a capital letter at its beginning. */
export function sentence(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}

/** Whether somebody has to look at something; the panel says what. */
export function needsAttention(state: IngestState): boolean {
  return Boolean(state.database?.message ?? state.bucket ?? state.held ?? state.disk ?? state.services);
}

/** How far a change of the model is. */
export function modelChangeSentence(change: NonNullable<IngestState['model_change']>): string {
  const all = change.indexed + change.pending + change.failed;
  return `reading everything again for the model ${change.model}: ${count(change.indexed + change.failed)} of ${count(all)}`;
}
