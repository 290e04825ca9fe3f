import type { ColorScheme } from '../color-scheme';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'sightline-theme';
const ORDER: readonly Theme[] = ['system', 'light', 'dark'];

/** Light, dark, or as the system prefers; `public/theme.js` applies the choice before the first paint. */
class ThemeChoice {
  current = $state<Theme>(read());
  #dark = $state(false);

  constructor() {
    const preference = matchMedia('(prefers-color-scheme: dark)');
    this.#dark = preference.matches;
    preference.addEventListener('change', ({ matches }) => (this.#dark = matches));
  }

  /** What is seen: the choice, or where there is none the system's. */
  get scheme(): ColorScheme {
    if (this.current !== 'system') return this.current;
    return this.#dark ? 'dark' : 'light';
  }

  next(): void {
    this.current = ORDER[(ORDER.indexOf(this.current) + 1) % ORDER.length] ?? 'system';
    if (this.current === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.current;
    try {
      if (this.current === 'system') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, this.current);
    } catch {
      // Storage may be refused; the choice then lasts as long as the page.
    }
  }
}

function read(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export const theme = new ThemeChoice();
