/** How a similarity looks as an edge: thicker and paler the higher, thinner and more saturated the lower. */
import type { ColorScheme } from '../lib/color-scheme';
import { BACKGROUND } from './palette';

interface EdgeLook {
  /** In units of the layout. */
  width: number;
  color: string;
}

interface Hsl {
  h: number;
  s: number;
  l: number;
}

const THINNEST = 1.5;
const THICKEST = 7.5;
const GREENS: Record<ColorScheme, { low: Hsl; high: Hsl }> = {
  light: { low: { h: 150, s: 1, l: 0.25 }, high: { h: 146, s: 0.26, l: 0.5 } },
  dark: { low: { h: 146, s: 0.95, l: 0.38 }, high: { h: 140, s: 0.36, l: 0.73 } },
};

export interface Span {
  low: number;
  high: number;
}

/** The span of the similarities; one without extent is widened, so that it still divides. */
export function spanOf(similarities: readonly number[]): Span {
  if (similarities.length === 0) return { low: 0, high: 1 };
  const low = Math.min(...similarities);
  const high = Math.max(...similarities);
  return high - low < 1e-6 ? { low: low - 0.05, high: high + 0.05 } : { low, high };
}

export function shareOf(similarity: number, { low, high }: Span): number {
  return Math.min(1, Math.max(0, (similarity - low) / (high - low)));
}

/** Fades towards the background, by mixing: sigma adds translucent colours up to white. */
export function edgeLook(similarity: number, span: Span, scheme: ColorScheme, strength = 1): EdgeLook {
  const share = shareOf(similarity, span);
  const { low, high } = GREENS[scheme];
  const mix = (from: number, to: number) => from + (to - from) * share;
  return {
    width: mix(THINNEST, THICKEST),
    color: hex({ h: mix(low.h, high.h), s: mix(low.s, high.s), l: mix(low.l, high.l) }, scheme, strength),
  };
}

function hex({ h, s, l }: Hsl, scheme: ColorScheme, strength: number): string {
  const channel = (n: number, at: number) => {
    const k = (n + h / 30) % 12;
    const value = 255 * (l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
    const background = parseInt(BACKGROUND[scheme].slice(at, at + 2), 16);
    return Math.round(background + (value - background) * strength)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(0, 1)}${channel(8, 3)}${channel(4, 5)}`;
}
