/**
 * What is searched for: a text, a picture of the collection (`like`), a picture that the person gave (its bytes are kept
 * in this browser), or a text together with either.
 */
export type Query =
  | { kind: 'none' }
  | { kind: 'text'; text: string }
  | { kind: 'like'; id: string; text: string }
  | { kind: 'picture'; key: string; text: string };

/** The parameters of the address that belong to one page alone. */
export type PageParameters = Readonly<Record<string, string>>;
export type PageName = 'search' | 'map' | 'collection';
export type Tab = 'graph' | 'grid' | 'table';

export const COLUMNS = ['name', 'label', 'similarity', 'date', 'size', 'camera'] as const;
export type Column = (typeof COLUMNS)[number];
export interface Sort {
  column: Column;
  descending: boolean;
}

/** The whole state of the page, as the address bar holds it. */
export interface Address {
  page: PageName;
  query: Query;
  /** The picture that is shown large. */
  view: string | null;
  /** How the results below the best five are shown. */
  tab: Tab;
  /** Clusters of the graph that are hidden, by their ids. */
  hidden: readonly number[];
  /** The similarity from which the graph draws an edge; null where it draws all. */
  least: number | null;
  /** The order of the table; null is that of the ranking. */
  sort: Sort | null;
  /** What only the map or the collection page understands; kept as it is. */
  parameters: PageParameters;
}

export const HOME: Address = {
  page: 'search',
  query: { kind: 'none' },
  view: null,
  tab: 'graph',
  hidden: [],
  least: null,
  sort: null,
  parameters: {},
};

const PAGES: readonly PageName[] = ['search', 'map', 'collection'];
const TABS: readonly Tab[] = ['graph', 'grid', 'table'];
const SHARED = new Set(['page', 'q', 'like', 'image', 'view', 'tab', 'hide', 'least', 'sort']);
const MAX_TEXT = 500;
const MAX_HIDDEN = 16;

function tidy(text: string): string {
  return text.trim().replace(/\s+/g, ' ').slice(0, MAX_TEXT);
}

export function textQuery(text: string): Query {
  const tidied = tidy(text);
  return tidied ? { kind: 'text', text: tidied } : { kind: 'none' };
}

/** The query with its text replaced; without text and picture it is none. */
export function withText(query: Query, text: string): Query {
  return query.kind === 'like' || query.kind === 'picture' ? { ...query, text: tidy(text) } : textQuery(text);
}

/** The query with its picture taken away. */
export function withoutPicture(query: Query): Query {
  return query.kind === 'none' ? query : textQuery(query.text);
}

function oneOf<T extends string>(values: readonly T[], value: string | null): T | undefined {
  return values.find((each) => each === value);
}

function parseHidden(value: string | null): number[] {
  const ids = (value ?? '').split('.').filter((part) => /^\d{1,2}$/.test(part));
  return [...new Set(ids.map(Number))].sort((a, b) => a - b).slice(0, MAX_HIDDEN);
}

function parseLeast(value: string | null): number | null {
  const least = Number(value);
  return value !== null && least > 0 && least <= 1 ? least : null;
}

function parseSort(value: string | null): Sort | null {
  const column = oneOf(COLUMNS, value?.replace(/^-/, '') ?? null);
  return column ? { column, descending: value?.startsWith('-') ?? false } : null;
}

/**
 * Reads an address. `?q=` is a text, `?like=` and `?image=` a picture (the latter wins); what is not understood is left
 * out, but for the own parameters of the map and the collection page.
 */
export function parseAddress(search: string): Address {
  const fields = new URLSearchParams(search);
  const value = (name: string) => fields.get(name)?.trim() || null;
  const picture = value('image');
  const like = value('like');
  const text = tidy(fields.get('q') ?? '');
  let query: Query = textQuery(text);
  if (like) query = { kind: 'like', id: like, text };
  if (picture) query = { kind: 'picture', key: picture, text };
  const page = oneOf(PAGES, value('page')) ?? 'search';
  const parameters = page === 'search' ? [] : [...fields].filter(([name]) => !SHARED.has(name));
  return {
    page,
    query,
    view: value('view'),
    tab: oneOf(TABS, value('tab')) ?? HOME.tab,
    hidden: parseHidden(value('hide')),
    least: parseLeast(value('least')),
    sort: parseSort(value('sort')),
    parameters: Object.fromEntries(parameters),
  };
}

/** The address as a link within the page: `/`, `/?q=a+cat`, `/?like=ID&view=ID&tab=grid`. */
export function formatAddress(address: Address): string {
  const fields = new URLSearchParams();
  const { page, query, view, tab, hidden, least, sort, parameters } = address;
  if (page !== 'search') fields.set('page', page);
  if (query.kind !== 'none' && query.text) fields.set('q', query.text);
  if (query.kind === 'like') fields.set('like', query.id);
  if (query.kind === 'picture') fields.set('image', query.key);
  if (tab !== HOME.tab) fields.set('tab', tab);
  if (hidden.length > 0) fields.set('hide', hidden.join('.'));
  if (least !== null) fields.set('least', String(least));
  if (sort) fields.set('sort', (sort.descending ? '-' : '') + sort.column);
  if (page !== 'search') for (const [name, value] of Object.entries(parameters)) fields.set(name, value);
  if (view) fields.set('view', view);
  const text = fields.toString();
  return text ? `/?${text}` : '/';
}

/** Equal for equal queries, whatever is shown of their answers. */
export function queryKey(query: Query): string {
  return formatAddress({ ...HOME, query });
}

/** A search, shown as the results before it were: what was hidden of those says nothing about these. */
export function searchAddress(query: Query, before: Address): Address {
  return { ...HOME, query, tab: before.tab, sort: before.sort };
}

export function likeAddress(id: string, before: Address): Address {
  return searchAddress({ kind: 'like', id, text: '' }, before);
}

/** The collection's copies of a picture. */
export function copiesAddress(id: string, before: Address): Address {
  return { ...pageAddress('collection', before), parameters: { copies: id } };
}

/** Another page; the search stays in the address, so that its results can be returned to. */
export function pageAddress(page: PageName, before: Address): Address {
  return { ...before, page, view: null, parameters: page === before.page ? before.parameters : {} };
}
