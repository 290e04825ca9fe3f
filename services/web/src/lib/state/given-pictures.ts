/**
 * Pictures that people search by, kept in this browser (IndexedDB) under a key that the address holds, so that
 * reload and Back work. Where storage is refused they last as long as the page.
 */

export interface GivenPicture {
  key: string;
  name: string;
  blob: Blob;
}

const DATABASE = 'sightline';
const STORE = 'given-pictures';
const KEEP = 24;

const inMemory = new Map<string, GivenPicture>();

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB did not open'));
  });
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB refused'));
  });
}

/** Keys sort by time, so that the oldest are the first to go. */
function newKey(): string {
  const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return `${Date.now().toString(36)}-${random.toString(36)}`;
}

export async function keepPicture(file: File): Promise<GivenPicture> {
  const given = { key: newKey(), name: file.name || 'pasted picture', blob: file };
  inMemory.set(given.key, given);
  try {
    const database = await open();
    const store = database.transaction(STORE, 'readwrite').objectStore(STORE);
    await done(store.put(given, given.key));
    const keys = await done(store.getAllKeys());
    await Promise.all(keys.slice(0, -KEEP).map((key) => done(store.delete(key))));
    database.close();
  } catch {
    // Private windows and full disks refuse; the copy in memory serves until the page is left.
  }
  return given;
}

export async function findPicture(key: string): Promise<GivenPicture | null> {
  const known = inMemory.get(key);
  if (known) return known;
  try {
    const database = await open();
    const stored = database.transaction(STORE, 'readonly').objectStore(STORE).get(key);
    const given = (await done(stored)) as GivenPicture | undefined;
    database.close();
    if (given) inMemory.set(key, given);
    return given ?? null;
  } catch {
    return null;
  }
}
