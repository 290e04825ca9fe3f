import { ApiError } from '../api/errors';
import { getImage } from '../api/images';
import { uploadImage } from '../api/upload';
import { looksLikePicture, type PickedFile } from '../files';
import { ingest } from './ingest.svelte';

type UploadPhase = 'waiting' | 'sending' | 'indexing' | 'indexed' | 'present' | 'refused';

export class Upload {
  readonly name: string;
  readonly file: File;
  readonly folder: string | undefined;
  phase = $state<UploadPhase>('waiting');
  share = $state(0);
  reason = $state('');
  id = $state<string | null>(null);
  /** Of the picture with the same bytes that is there already. */
  key = $state('');

  constructor({ file, folder }: PickedFile) {
    this.file = file;
    this.name = file.name;
    this.folder = folder;
  }
}

const AT_ONCE = 3;
const FOLLOWED = 24;
const FOLLOW_MS = 1_000;

/** Files on their way into the collection: sent three at a time, then followed until they can be found. */
class Uploads {
  items = $state<Upload[]>([]);
  #sending = 0;
  #following = false;

  get busy(): boolean {
    return this.items.some((item) => item.phase === 'waiting' || item.phase === 'sending');
  }

  add(files: readonly PickedFile[]): void {
    const added = files.map((file) => new Upload(file));
    for (const item of added) {
      if (!looksLikePicture(item.file)) this.#refuse(item, 'Not a picture, judging by its name and type.');
      else if (item.file.size === 0) this.#refuse(item, 'The file is empty.');
    }
    this.items = [...this.items, ...added];
    this.#pump();
  }

  clear(): void {
    this.items = this.items.filter((item) => item.phase === 'waiting' || item.phase === 'sending');
  }

  #refuse(item: Upload, reason: string): void {
    item.phase = 'refused';
    item.reason = reason;
  }

  #pump(): void {
    while (this.#sending < AT_ONCE) {
      const next = this.items.find((item) => item.phase === 'waiting');
      if (!next) return;
      this.#sending += 1;
      next.phase = 'sending';
      void this.#send(next).finally(() => {
        this.#sending -= 1;
        this.#pump();
      });
    }
  }

  async #send(item: Upload): Promise<void> {
    try {
      const answer = await uploadImage(item.file, item.folder, {
        onProgress: (share) => (item.share = share),
      });
      item.share = 1;
      const accepted = answer.accepted[0];
      const present = answer.present[0];
      if (present) {
        item.id = present.id;
        item.key = present.key;
        item.phase = 'present';
      } else if (accepted) {
        item.id = accepted.id;
        item.phase = 'indexing';
        void this.#follow();
        void ingest.refresh();
      } else {
        this.#refuse(item, answer.refused[0]?.reason ?? 'The gateway did not take it.');
      }
    } catch (error) {
      this.#refuse(item, reasonOf(error));
    }
  }

  /** Asks after the pictures that were taken, until each is indexed or failed. */
  async #follow(): Promise<void> {
    if (this.#following) return;
    this.#following = true;
    for (;;) {
      const open = this.items.filter((item) => item.phase === 'indexing').slice(0, FOLLOWED);
      if (open.length === 0) break;
      await Promise.all(open.map((item) => this.#look(item)));
      await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
    }
    this.#following = false;
    void ingest.refresh();
  }

  async #look(item: Upload): Promise<void> {
    if (!item.id) return;
    try {
      const picture = await getImage(item.id);
      if (picture.state === 'indexed') item.phase = 'indexed';
      if (picture.state === 'failed') this.#refuse(item, picture.reason ?? 'It could not be indexed.');
    } catch {
      // Not in the catalogue yet, or the gateway is away: the next look will tell.
    }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof ApiError)) return 'It could not be uploaded.';
  switch (error.kind) {
    case 'unreachable':
      return 'Sightline did not answer. Check that it is running, then add the file again.';
    case 'busy':
      return 'Sightline is busy. Add the file again in a moment.';
    default:
      return (
        error.refused[0]?.reason || error.detail || error.title || `The gateway answered ${error.status}.`
      );
  }
}

export const uploads = new Uploads();
