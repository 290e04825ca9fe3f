/** What is searched for. `picture` names one that the person gave; its bytes are kept in this browser. */
export type Query =
  | { kind: 'none' }
  | { kind: 'text'; text: string }
  | { kind: 'like'; id: string }
  | { kind: 'picture'; key: string };

/** The whole state of the page, as the address bar holds it: the query and the picture that is shown large. */
export interface Address {
  query: Query;
  view: string | null;
}

export const HOME: Address = { query: { kind: 'none' }, view: null };

const MAX_TEXT = 500;

export function textQuery(text: string): Query {
  const trimmed = text.trim().replace(/\s+/g, ' ').slice(0, MAX_TEXT);
  return trimmed ? { kind: 'text', text: trimmed } : { kind: 'none' };
}

/** Reads `?q=`, `?like=` and `?image=` (the last of these wins), and `view=`. */
export function parseAddress(search: string): Address {
  const parameters = new URLSearchParams(search);
  const value = (name: string) => parameters.get(name)?.trim() || null;
  const picture = value('image');
  const like = value('like');
  let query: Query = textQuery(parameters.get('q') ?? '');
  if (like) query = { kind: 'like', id: like };
  if (picture) query = { kind: 'picture', key: picture };
  return { query, view: value('view') };
}

/** The address as a link within the page: `/`, `/?q=a+cat`, `/?like=ID&view=ID`. */
export function formatAddress(address: Address): string {
  const parameters = new URLSearchParams();
  const { query, view } = address;
  if (query.kind === 'text') parameters.set('q', query.text);
  if (query.kind === 'like') parameters.set('like', query.id);
  if (query.kind === 'picture') parameters.set('image', query.key);
  if (view) parameters.set('view', view);
  const text = parameters.toString();
  return text ? `/?${text}` : '/';
}

/** Equal for equal queries, whatever is shown large. */
export function queryKey(query: Query): string {
  return formatAddress({ query, view: null });
}

export function likeAddress(id: string): Address {
  return { query: { kind: 'like', id }, view: null };
}
