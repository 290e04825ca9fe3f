import { MediaQuery } from 'svelte/reactivity';
import { theme } from '../lib/state/theme.svelte';
import type { Shade } from './palette';

const dark = new MediaQuery('(prefers-color-scheme: dark)');

/** The colours that the page has at the moment. */
export function shade(): Shade {
  if (theme.current !== 'system') return theme.current;
  return dark.current ? 'dark' : 'light';
}
