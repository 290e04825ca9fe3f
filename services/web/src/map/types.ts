/** The shapes of maps, as the gateway answers them; `schema.d.ts` is generated. */
import type { components } from '../lib/api/schema';

type Schemas = components['schemas'];

/** What a map is asked to show; what is left out has the gateway's defaults. */
export type MapRequest = Partial<Schemas['WantedMap']>;
export type MapState = Schemas['MapState'];
export type MapProgress = Schemas['MapProgress'];
/** Columns of one length; x and y from -1 to 1, y upwards; -1 is no label, no cluster. */
export type MapPoints = Schemas['MapPoints'];
export type Confusion = Schemas['Confusion'];
export type Separation = Schemas['Separation'];
