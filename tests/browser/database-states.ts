/** What `GET /api/v1/ingest` says of the database's nodes: one server, and three of which one is lost. */
export const MESSAGE = '1 of 3 database nodes does not answer: searches go on from the copies that are left.';
export const COMMAND = 'docker compose exec watcher sightline-catalogue repair';
export const healthy = {
  nodes: 1,
  nodes_alive: 1,
  dead_nodes: [] as string[],
  shards: 1,
  shards_unavailable: 0,
  copies_wanted: 1,
  copies_alive: 1,
  transfers: 0,
  message: null as string | null,
  command: null as string | null,
};
export const degraded = {
  ...healthy,
  nodes: 3,
  nodes_alive: 2,
  dead_nodes: ['qdrant-2'],
  shards: 6,
  copies_wanted: 12,
  copies_alive: 8,
  transfers: 1,
  message: MESSAGE,
  command: COMMAND,
};

export const state = {
  pending: 0,
  indexed: 696,
  failed: 0,
  ignored: 3,
  queued: 0,
  scanning: false,
  last_scan_at: '2026-11-24T08:00:00Z',
  bucket: null,
  held: null,
  services: null,
  writable: true,
};
