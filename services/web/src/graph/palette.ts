import type { ColorScheme } from '../lib/color-scheme';
import { WEAK } from './model';

/**
 * Colours of clusters; those of edges are in edge-style.ts, and green, so none of these is. Chosen so that any two differ
 * (CIELAB distance above 18) to people with and without red-green colour blindness, and each has a contrast of 3:1 to
 * its background.
 */
export const CLUSTER_COLORS: Record<ColorScheme, readonly string[]> = {
  light: ['#2641a8', '#d07c00', '#6929e5', '#8d0505', '#0599e2', '#d86c9b', '#917054', '#2d3a55'],
  dark: ['#2467fa', '#fabe15', '#da74e1', '#d94450', '#66e4fa', '#fac6b5', '#a9c063', '#68748f'],
};

/** Of results that are weak, which are in no cluster. */
export const WEAK_COLOR: Record<ColorScheme, string> = { light: '#858b88', dark: '#9ba29e' };

export const BACKGROUND: Record<ColorScheme, string> = { light: '#ffffff', dark: '#161c19' };
/** The disc of a picture that has not been loaded. */
export const PLACEHOLDER: Record<ColorScheme, string> = { light: '#e8ece8', dark: '#2b3430' };
export const INK: Record<ColorScheme, string> = { light: '#15201b', dark: '#e9efeb' };
export const ACCENT: Record<ColorScheme, string> = { light: '#0b6e4f', dark: '#62d6a8' };
export const ON_ACCENT: Record<ColorScheme, string> = { light: '#ffffff', dark: '#06281b' };

export function clusterColor(cluster: number, scheme: ColorScheme): string {
  if (cluster === WEAK) return WEAK_COLOR[scheme];
  const colors = CLUSTER_COLORS[scheme];
  return colors[cluster % colors.length] ?? INK[scheme];
}

/** A colour of six hexadecimal digits, with an opacity. */
export function faded(color: string, opacity: number): string {
  const digits = Math.round(opacity * 255).toString(16);
  return color + digits.padStart(2, '0');
}
