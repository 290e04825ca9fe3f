/** The shapes of maps, as the gateway answers them. */

export interface MapRequest {
  labels?: string[];
  folders?: string[];
  after?: string | null;
  before?: string | null;
  ids?: string[];
  per_label?: number;
  sample: number;
  perplexity: number;
}

export type MapPhase = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
export type MapStep = 'vectors' | 'affinities' | 'optimizing' | 'separating';

export interface MapProgress {
  step: MapStep;
  iteration: number;
  iterations: number;
  kl_divergence: number | null;
}

/** Columns of one length; x and y from -1 to 1, y upwards; -1 is no label, no cluster. */
export interface MapPoints {
  ids: string[];
  x: number[];
  y: number[];
  label: number[];
  cluster: number[];
  new: boolean[];
}

export interface Confusion {
  a: string;
  b: string;
  share: number;
}

export interface Separation {
  knn_agreement: number;
  silhouette: number;
  per_label: { label: string; count: number; knn_agreement: number }[];
  confused: Confusion[];
}

export interface MapState {
  id: string;
  state: MapPhase;
  reason: string | null;
  request: {
    labels: string[];
    folders: string[];
    after: string | null;
    before: string | null;
    ids: number;
    upload: boolean;
    per_label: number;
    sample: number;
    perplexity: number;
  };
  model: { id: string; fingerprint: string };
  created_at: string;
  finished_at: string | null;
  count: number;
  total: number;
  progress: MapProgress | null;
  labels: string[];
  points: MapPoints | null;
  /** The address of a point's thumbnail, with {id} or {index} in it. */
  thumbnails: string;
  clusters: { id: number; name: string; size: number }[];
  separation: Separation | null;
  stale: boolean;
  refused: { name: string; reason: string }[];
}
