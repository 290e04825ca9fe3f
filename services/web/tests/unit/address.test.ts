import { describe, expect, it } from 'vitest';
import {
  formatAddress,
  HOME,
  parseAddress,
  queryKey,
  textQuery,
  type Address,
} from '../../src/lib/state/address';

describe('the address', () => {
  it.each<[string, Address]>([
    ['', HOME],
    ['?q=', HOME],
    ['?q=%20%20', HOME],
    ['?q=a+cat', { query: { kind: 'text', text: 'a cat' }, view: null }],
    ['?like=abc', { query: { kind: 'like', id: 'abc' }, view: null }],
    ['?q=cat&like=abc', { query: { kind: 'like', id: 'abc' }, view: null }],
    ['?image=k1&like=abc', { query: { kind: 'picture', key: 'k1' }, view: null }],
    ['?q=cat&view=xyz', { query: { kind: 'text', text: 'cat' }, view: 'xyz' }],
    ['?view=xyz', { query: { kind: 'none' }, view: 'xyz' }],
    ['?unknown=1', HOME],
  ])('reads %s', (search, address) => {
    expect(parseAddress(search)).toEqual(address);
  });

  it.each(['a cat', 'grün & blau', '100%', 'a=b?c#d', '猫 + 犬', '"quoted"'])('holds %s whole', (text) => {
    const address: Address = { query: textQuery(text), view: 'some-id' };
    expect(parseAddress(new URL(formatAddress(address), 'http://page').search)).toEqual(address);
  });

  it('is short for the start', () => {
    expect(formatAddress(HOME)).toBe('/');
  });

  it('gives one key to one query, whatever is shown large', () => {
    const query = textQuery('a  cat ');
    expect(queryKey(query)).toBe('/?q=a+cat');
  });

  it('cuts what no gateway would take', () => {
    expect(textQuery('x'.repeat(900))).toEqual({ kind: 'text', text: 'x'.repeat(500) });
  });
});
