/** The shapes of maps, as the gateway answers them; `schema.d.ts` is generated. */
import type { components } from '../lib/api/schema';

type Schemas = components['schemas'];

/** What a map is asked to show; what is left out has the gateway's defaults. */
export type MapRequest = Schemas['WantedMap'];
/** A map without its points, as a list of maps has it. */
export type MapSummary = Omit<Schemas['MapState'], 'points'>;
/** A map with all columns of its points, or none. */
export type MapState = MapSummary & { points: MapPoints | null };
/** An answer about a map: columns of its points that did not change since a version that is known are left out. */
export type MapAnswer = Schemas['MapState'];
export type MapProgress = Schemas['MapProgress'];
/** Columns of one length; x and y from -1 to 1, y upwards; -1 is no label, no cluster. */
export type MapPoints = { [Column in keyof Schemas['MapPoints']]: NonNullable<Schemas['MapPoints'][Column]> };
export type Confusion = Schemas['Confusion'];
export type Separation = Schemas['Separation'];
