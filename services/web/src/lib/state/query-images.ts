import { openDB, type DBSchema, type IDBPDatabase } from 'idb';

/** An image that a person searches by. */
interface QueryImage {
  key: string;
  name: string;
  blob: Blob;
}

/** The store keeps the name that it has in people's browsers. */
const STORE = 'given-pictures';
const MAX_KEPT = 24;

interface Schema extends DBSchema {
  [STORE]: { key: string; value: QueryImage };
}

/**
 * Query images are kept in this browser (IndexedDB) under a key that the address holds, so that reload and Back work.
 * Where storage is refused they last as long as the page.
 */
const inMemory = new Map<string, QueryImage>();

function open(): Promise<IDBPDatabase<Schema>> {
  return openDB<Schema>('sightline', 1, { upgrade: (database) => database.createObjectStore(STORE) });
}

/** Keys sort by time, so that the oldest are the first to go. */
function newKey(): string {
  const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return `${Date.now().toString(36)}-${random.toString(36)}`;
}

export async function keepQueryImage(file: File): Promise<QueryImage> {
  const image = { key: newKey(), name: file.name || 'pasted picture', blob: file };
  inMemory.set(image.key, image);
  try {
    const database = await open();
    await database.put(STORE, image, image.key);
    const keys = await database.getAllKeys(STORE);
    await Promise.all(keys.slice(0, -MAX_KEPT).map((key) => database.delete(STORE, key)));
    database.close();
  } catch {
    // Private windows and full disks refuse; the copy in memory serves until the page is left.
  }
  return image;
}

export async function findQueryImage(key: string): Promise<QueryImage | null> {
  const known = inMemory.get(key);
  if (known) return known;
  try {
    const database = await open();
    const image = await database.get(STORE, key);
    database.close();
    if (image) inMemory.set(key, image);
    return image ?? null;
  } catch {
    return null;
  }
}
