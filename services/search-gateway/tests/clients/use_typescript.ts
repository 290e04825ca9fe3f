/** Calls a gateway by openapi-fetch with the types that openapi-typescript wrote. Argument: the gateway's URL. */
import createClient from 'openapi-fetch';
import type { paths } from './schema';

declare const process: { argv: string[] };
const client = createClient<paths>({ baseUrl: process.argv[2] });

function check(right: boolean, what: string): void {
  if (!right) throw new Error(what);
}

const found = await client.GET('/api/v1/search', { params: { query: { q: 'a cat', limit: 2 } } });
check(found.data?.results.length === 2, 'two results');
const similarity: number | null | undefined = found.data?.results[0]?.similarity;
check(typeof similarity === 'number' && similarity <= 1, 'a similarity');

const page = await client.GET('/api/v1/images', { params: { query: { limit: 2, label: ['colors'] } } });
check(page.data?.images.length === 2, 'a page of two');
const cursor = page.data?.cursor ?? undefined;
const rest = await client.GET('/api/v1/images', { params: { query: { limit: 2, label: ['colors'], cursor } } });
check(rest.data?.images.length === 1, 'a page of one');

const image_id = page.data!.images[0]!.id;
const path = { image_id };
const thumbnail = await client.GET('/api/v1/images/{image_id}/thumbnail', {
  params: { path },
  parseAs: 'arrayBuffer',
});
const bytes: ArrayBuffer = thumbnail.data!;
check(new TextDecoder('latin1').decode(bytes.slice(8, 12)) === 'WEBP', 'a WebP');
const file = await client.GET('/api/v1/images/{image_id}/file', { params: { path }, parseAs: 'blob' });
const blob: Blob = file.data!;
check(blob.size === page.data!.images[0]!.bytes, 'the whole file');
const part = await client.GET('/api/v1/images/{image_id}/file', {
  params: { path, header: { Range: 'bytes=0-9' } },
  parseAs: 'blob',
});
check(part.response.status === 206 && (part.data as Blob).size === 10, 'ten bytes');

const byPicture = await client.POST('/api/v1/search', {
  body: { file: blob as unknown as string, limit: 1 },
  bodySerializer(body) {
    const form = new FormData();
    form.set('file', blob, 'picture.jpg');
    form.set('limit', String(body?.limit));
    return form;
  },
});
check(byPicture.data?.results[0]?.id === image_id, 'the picture itself');
const composed = await client.POST('/api/v1/search', {
  body: { parts: [{ text: 'a cat' }, { id: image_id, not: true }] },
});
check(composed.data?.results.length === 2, 'the others');

const queued = await client.POST('/api/v1/ingest/rescan', { body: {} });
check(queued.data?.queued === true, 'a rescan');
// @ts-expect-error: a body is required
void (() => client.POST('/api/v1/maps', {}));

const nothing = await client.GET('/api/v1/images/{image_id}', {
  params: { path: { image_id: '00000000-0000-0000-0000-000000000000' } },
});
const kind: string | undefined = nothing.error?.type;
check(kind === 'urn:sightline:problem:image-not-found', 'a problem');
console.log('all calls answered');
