/** The shapes of the gateway's answers, by the names that the page uses; `schema.d.ts` is generated. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type SearchAnswer = Schemas['SearchResults'];
export type NamedPictures = Schemas['NamedImages'];
export type Cluster = Schemas['Cluster'];
export type Edge = Schemas['Edge'];
export type PicturePage = Schemas['Images'];
export type UploadAnswer = Schemas['Uploaded'];
export type IngestState = Schemas['Ingest'];
export type DatabaseState = Schemas['Database'];
export type BucketProblem = Schemas['BucketProblem'];
export type HeldPictures = Schemas['Held'];
export type Models = Schemas['Models'];
export type Failure = Schemas['Failure'];
export type FailurePage = Schemas['Failures'];
export type LeftOut = Schemas['LeftOut'];
export type Stats = Schemas['Stats'];
export type Session = Schemas['Session'];

/** A picture of the collection; with what is told of it as a result where a search found it. */
export type Picture = Schemas['Image'] &
  Partial<Pick<Schemas['Hit'], 'similarity' | 'probability' | 'relevance' | 'cluster'>>;

/** All that is known of one picture. */
export type PictureDetails = Schemas['ImageDetails'];

/** RFC 9457; a proxy's answer may have none of it. */
export type Problem = Partial<Schemas['Problem']>;
