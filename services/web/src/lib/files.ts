/** Telling pictures from other files, by type or else by name; the gateway looks at the bytes. */

/** Those of libs/pictures/sightline_pictures/formats.py; a test compares. */
const EXTENSIONS =
  /\.(jpg|jpeg|jpe|jfif|jif|mpo|png|apng|webp|gif|bmp|dib|tif|tiff|heic|heif|hif|avif|avifs|jxl|jp2|j2k|j2c|jpc|jpf|jpx|psd|dng|cr2|cr3|nef|arw|raf|orf|rw2|pef|srw|3fr|crw|erf|fff|gpr|iiq|k25|kdc|dcr|mef|mos|mrw|nrw|raw|rwl|sr2|srf|x3f)$/i;

/** For `<input accept>`: browsers on some systems do not count all of them among `image/*`. */
export const ACCEPT = `image/*,.${EXTENSIONS.source.replace(/[^a-z0-9|]/g, '').replaceAll('|', ',.')}`;

export function looksLikePicture(file: { name: string; type: string }): boolean {
  return (file.type.startsWith('image/') && !file.type.includes('svg')) || EXTENSIONS.test(file.name);
}

/** Whether what is dragged holds files (and not a link or text, or a picture of this page). */
export function holdsFiles(transfer: DataTransfer | null): boolean {
  return transfer !== null && Array.from(transfer.types).includes('Files');
}

/** A file that is dropped or picked, and the folder it lay in where it came with one. */
export interface PickedFile {
  file: File;
  folder: string | undefined;
}

/** The files of a drop, folders opened up. Must be called while the drop event is being handled. */
export async function droppedFiles(transfer: DataTransfer): Promise<PickedFile[]> {
  const entries = Array.from(transfer.items)
    .filter((item) => item.kind === 'file')
    .map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = Array.from(transfer.files);
  if (!entries.some((entry) => entry?.isDirectory)) {
    return plain.map((file) => ({ file, folder: undefined }));
  }
  const found: PickedFile[] = [];
  for (const entry of entries) {
    if (entry) await collect(entry, undefined, found);
  }
  return found;
}

async function collect(
  entry: FileSystemEntry,
  folder: string | undefined,
  found: PickedFile[],
): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    if (!file.name.startsWith('.')) found.push({ file, folder });
    return;
  }
  const inside = folder ? `${folder}/${entry.name}` : entry.name;
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader hands out at most a hundred entries a call.
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (batch.length === 0) return;
    for (const child of batch) await collect(child, inside, found);
  }
}
