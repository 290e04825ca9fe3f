/** What a call needs a key for. */
export type Need = 'read' | 'change';

type KeyPrompt = (need: Need) => Promise<boolean>;

let prompt: KeyPrompt = () => Promise.resolve(false);

/** Says who asks a person for a key; the answer is whether there is one now. */
export function setKeyPrompt(asker: KeyPrompt): void {
  prompt = asker;
}

/** Makes a call; where its answer is that a key is needed, asks for one, and makes it again. */
export async function withKey<T extends { status: number }>(need: Need, send: () => Promise<T>): Promise<T> {
  const answer = await send();
  return answer.status === 401 && (await prompt(need)) ? send() : answer;
}
