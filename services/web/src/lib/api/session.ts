import { client, dataOf } from './client';
import type { Session } from './types';

export function getSession(): Promise<Session> {
  return dataOf(client.GET('/api/v1/session'));
}

/** Exchanges a key for a cookie that this page cannot read. */
export function signIn(key: string, remember: boolean): Promise<Session> {
  return dataOf(client.POST('/api/v1/session', { body: { key, remember } }));
}

export async function signOut(): Promise<void> {
  await dataOf(client.DELETE('/api/v1/session'));
}
