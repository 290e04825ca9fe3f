import { describe, expect, it } from 'vitest';
import {
  formatAddress,
  HOME,
  likeAddress,
  pageAddress,
  parseAddress,
  queryKey,
  textQuery,
  withoutPicture,
  withText,
  type Address,
  type Query,
} from '../../src/lib/state/address';
import { breadcrumbsAfter } from '../../src/lib/state/breadcrumbs';

describe('the address', () => {
  it.each<[string, Address]>([
    ['', HOME],
    ['?q=', HOME],
    ['?q=%20%20', HOME],
    ['?q=a+cat', { ...HOME, query: { kind: 'text', text: 'a cat' } }],
    ['?like=abc', { ...HOME, query: { kind: 'like', id: 'abc', text: '' } }],
    ['?q=cat&like=abc', { ...HOME, query: { kind: 'like', id: 'abc', text: 'cat' } }],
    ['?image=k1&like=abc', { ...HOME, query: { kind: 'picture', key: 'k1', text: '' } }],
    ['?q=cat&view=xyz', { ...HOME, query: { kind: 'text', text: 'cat' }, view: 'xyz' }],
    ['?view=xyz', { ...HOME, view: 'xyz' }],
    ['?unknown=1', HOME],
    ['?tab=table&sort=-date', { ...HOME, tab: 'table', sort: { column: 'date', descending: true } }],
    // What the graph was called before.
    ['?tab=web', { ...HOME, tab: 'graph' }],
    ['?tab=spiral&sort=-colour&hide=x.-1&least=2', HOME],
    ['?hide=3.0.3&least=0.42', { ...HOME, hidden: [0, 3], least: 0.42 }],
    [
      '?page=map&map=m-1&q=cat',
      { ...HOME, page: 'map', query: textQuery('cat'), parameters: { map: 'm-1' } },
    ],
    ['?page=nowhere', HOME],
  ])('reads %s', (search, address) => {
    expect(parseAddress(search)).toEqual(address);
  });

  it.each(['a cat', 'grün & blau', '100%', 'a=b?c#d', '猫 + 犬', '"quoted"'])('holds %s whole', (text) => {
    const address: Address = { ...HOME, query: textQuery(text), view: 'some-id' };
    expect(parseAddress(new URL(formatAddress(address), 'http://page').search)).toEqual(address);
  });

  it('is short for the start', () => {
    expect(formatAddress(HOME)).toBe('/');
  });

  it.each<[string, Partial<Address>]>([
    ['the tab', { tab: 'grid' }],
    ['what the graph hides', { hidden: [1, 4], least: 0.35 }],
    ['how the table is sorted', { tab: 'table', sort: { column: 'name', descending: false } }],
    ['a picture with words', { query: { kind: 'like', id: 'abc', text: 'in the snow' } }],
    ['another page with what is its own', { page: 'map', parameters: { map: 'm-1', color: 'cluster' } }],
  ])('brings %s back', (_, part) => {
    const address: Address = { ...HOME, query: textQuery('a cat'), ...part };
    expect(parseAddress(new URL(formatAddress(address), 'http://page').search)).toEqual(address);
  });

  it('keeps the tab for the next search, and forgets what was hidden', () => {
    const before: Address = { ...HOME, tab: 'table', hidden: [1], least: 0.4, view: 'x' };
    expect(likeAddress('abc', before)).toEqual({
      ...HOME,
      query: { kind: 'like', id: 'abc', text: '' },
      tab: 'table',
    });
  });

  it('keeps the search while another page is visited', () => {
    const before: Address = { ...HOME, query: textQuery('a cat'), tab: 'grid' };
    const map = pageAddress('map', before);
    expect(pageAddress('search', { ...map, parameters: { map: 'm-1' } })).toEqual(before);
  });

  it('takes words and pictures to and from a query', () => {
    const like: Query = { kind: 'like', id: 'abc', text: '' };
    expect(withText(like, ' snow ')).toEqual({ kind: 'like', id: 'abc', text: 'snow' });
    expect(withoutPicture(withText(like, 'snow'))).toEqual(textQuery('snow'));
    expect(withoutPicture(like)).toEqual({ kind: 'none' });
    expect(withText(textQuery('a'), '')).toEqual({ kind: 'none' });
  });

  it('gives one key to one query, whatever is shown large', () => {
    const query = textQuery('a  cat ');
    expect(queryKey(query)).toBe('/?q=a+cat');
  });

  it('cuts what no gateway would take', () => {
    expect(textQuery('x'.repeat(900))).toEqual({ kind: 'text', text: 'x'.repeat(500) });
  });
});

describe('the breadcrumbs', () => {
  const cat = textQuery('cat');
  const like = (id: string): Query => ({ kind: 'like', id, text: '' });

  it('grows from picture to picture, and is cut where one goes back on it', () => {
    const one = breadcrumbsAfter([], cat, like('a'));
    const two = breadcrumbsAfter(one, like('a'), like('b'));
    expect(two).toEqual([cat, like('a')]);
    expect(breadcrumbsAfter(two, like('b'), like('a'))).toEqual([cat]);
    expect(breadcrumbsAfter(two, like('b'), cat)).toEqual([]);
  });

  it('begins anew with new words, and is left alone by a change of view', () => {
    const breadcrumbs = breadcrumbsAfter([], cat, like('a'));
    expect(breadcrumbsAfter(breadcrumbs, like('a'), textQuery('dog'))).toEqual([]);
    expect(breadcrumbsAfter(breadcrumbs, like('a'), like('a'))).toBe(breadcrumbs);
  });
});
