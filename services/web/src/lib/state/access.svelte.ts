import { ApiError } from '../api/errors';
import { setKeyPrompt, type Need } from '../api/key-prompt';
import { getSession, signIn, signOut } from '../api/session';
import type { Session } from '../api/types';

const MISMATCH = 'This key may look at everything and change nothing. Enter one that may.';

/** What this visitor may do, and the dialog that asks for a key. */
class Access {
  /** Null until it is known. */
  session = $state.raw<Session | null>(null);
  /** What the open dialog asks a key for; null while it is closed. */
  asked = $state<Need | null>(null);

  #waiting: ((signedIn: boolean) => void)[] = [];
  /** Whether the person closed the dialog: then it opens by itself no more, but for a change that is asked for. */
  #declined = false;

  /** Until it is known, as where there are no keys: most have none, and nothing moves then. */
  get mayChange(): boolean {
    return this.session?.change ?? true;
  }

  start(): () => void {
    void this.refresh();
    // Back, after signing out, must not bring what was shown before.
    const shown = (event: PageTransitionEvent) => {
      if (event.persisted) void this.refresh().then(() => this.session?.read === false && location.reload());
    };
    addEventListener('pageshow', shown);
    return () => removeEventListener('pageshow', shown);
  }

  async refresh(): Promise<void> {
    try {
      this.session = await getSession();
    } catch {
      // Whatever else fails with it says why.
    }
  }

  /** Opens the dialog; resolves with whether the person is signed in then. */
  async ask(need: Need): Promise<boolean> {
    if (need === 'read' && this.#declined) return false;
    if (this.asked !== 'change') this.asked = need;
    const answer = new Promise<boolean>((resolve) => this.#waiting.push(resolve));
    // A session may have expired, or its key been taken back.
    void this.refresh();
    return answer;
  }

  /** As `ask`, where the person wants it. */
  async open(): Promise<void> {
    const declined = this.#declined;
    this.#declined = false;
    const signedIn = await this.ask(this.session?.read === false ? 'read' : 'change');
    // What could not be shown is asked for anew.
    if (signedIn && declined) location.reload();
  }

  /** Returns what is wrong with a key; an empty text where nothing is. */
  async signIn(key: string, remember: boolean): Promise<string> {
    try {
      const session = await signIn(key, remember);
      const enough = this.asked === 'read' ? session.read : session.change;
      this.session = session;
      return enough ? '' : MISMATCH;
    } catch (error) {
      return wrongWith(error);
    }
  }

  /** Ends the dialog; whoever waits for it goes on. */
  settle(signedIn: boolean): void {
    if (this.asked === null) return;
    this.asked = null;
    this.#declined = !signedIn;
    for (const resolve of this.#waiting.splice(0)) resolve(signedIn);
  }

  async signOut(): Promise<void> {
    await signOut();
    // Nothing that was shown stays.
    location.assign('/');
  }
}

function wrongWith(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Signing in failed. Try again.';
  if (error.problem === 'wrong-key') return 'This is none of the keys. Check it, and try again.';
  if (error.status === 429)
    return `Too many wrong keys. Try again in ${Math.ceil(error.retryAfterSeconds ?? 60)} s.`;
  if (error.kind === 'unreachable') return 'Sightline does not answer. Try again in a moment.';
  return error.detail || error.title || 'Signing in failed. Try again.';
}

export const access = new Access();
setKeyPrompt((need) => access.ask(need));
