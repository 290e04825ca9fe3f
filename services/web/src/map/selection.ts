import { browseImages, getImage } from '../lib/api/images';
import type { Picture } from '../lib/api/types';
import { csv } from './csv';
import { details } from './details.svelte';
import type { MapPoints, MapState } from './types';

/** Up to so many pictures are asked for one by one; more are found faster by paging through their labels. */
const ONE_BY_ONE = 120;
const AT_ONCE = 6;
const PAGE = 200;

/** At most `most` of the indices, spread evenly over them. */
export function spread(indices: readonly number[], most: number): number[] {
  if (indices.length <= most) return [...indices];
  return Array.from({ length: most }, (_, n) => indices[Math.floor((n * indices.length) / most)] ?? 0);
}

/** The pictures of some ids, as far as they are there; `labels` are those that they carry. */
export async function fetchPictures(
  ids: readonly string[],
  labels: readonly string[],
  known: (id: string) => Picture | null,
): Promise<Map<string, Picture>> {
  const found = new Map<string, Picture>();
  for (const id of ids) {
    const picture = known(id);
    if (picture) found.set(id, picture);
  }
  let missing = ids.filter((id) => !found.has(id));
  if (missing.length > ONE_BY_ONE && labels.length > 0 && labels.length <= 50) {
    const wanted = new Set(missing);
    let cursor: string | null = null;
    do {
      const page = await browseImages({ label: [...labels], limit: PAGE, ...(cursor ? { cursor } : {}) });
      for (const each of page.images) if (wanted.delete(each.id)) found.set(each.id, each);
      cursor = page.cursor;
    } while (cursor !== null && wanted.size > 0);
    missing = [...wanted];
  }
  const queue = [...missing];
  const work = async () => {
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      const each = await getImage(id).catch(() => null);
      if (each) found.set(id, each);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found;
}

/** Rows of id, key, label, x and y. Of uploads, whose ids are their names, the key is the name. */
function selectionCsv(
  points: MapPoints,
  indices: readonly number[],
  keyOf: (id: string) => string,
  labels: readonly string[],
): string {
  const rows = indices.map((index) => {
    const id = points.ids[index] ?? '';
    return [
      id,
      keyOf(id),
      labels[points.label[index] ?? -1] ?? '',
      points.x[index] ?? 0,
      points.y[index] ?? 0,
    ];
  });
  return csv(['id', 'key', 'label', 'x', 'y'], rows);
}

/** The selection as a CSV file, with the keys of the pictures as far as they can be had. */
export async function csvOf(map: MapState, indices: readonly number[]): Promise<string> {
  const { points, labels, request } = map;
  if (!points) return '';
  if (request.upload) return selectionCsv(points, indices, (id) => id, labels);
  const ids = indices.map((index) => points.ids[index] ?? '');
  const carried = new Set(indices.map((index) => labels[points.label[index] ?? -1] ?? ''));
  const found = await fetchPictures(ids, [...carried].filter(Boolean), (id) => details.of(id)).catch(
    () => null,
  );
  return selectionCsv(points, indices, (id) => found?.get(id)?.key ?? '', labels);
}
