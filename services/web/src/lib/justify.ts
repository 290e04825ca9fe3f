/**
 * The widths of tiles, in pixels, that fill rows of `width` from edge to edge without changing anyone's shape or order.
 *
 * A row ends where its height comes nearest to `target`; the last one is not stretched. Rows depend only on what
 * comes before them, so tiles that are added at the end move none but those of the last row.
 */
export function justify(aspects: readonly number[], width: number, target: number, gap: number): number[] {
  const widths: number[] = [];
  let first = 0;
  while (first < aspects.length) {
    let sum = 0;
    let next = first;
    let height = Infinity;
    while (next < aspects.length) {
      const wider = sum + (aspects[next] ?? 1);
      const lower = heightOf(width, wider, next - first + 1, gap);
      // One more would make the row too low: by less than it is too high now?
      if (lower < target && height / target < target / lower) break;
      sum = wider;
      height = lower;
      next += 1;
      if (height <= target) break;
    }
    const open = next === aspects.length && height > target;
    for (const aspect of aspects.slice(first, next)) widths.push(aspect * (open ? target : height));
    first = next;
  }
  return widths;
}

/** Never so little that a narrow page could turn the gaps into a row without height. */
function heightOf(width: number, aspects: number, count: number, gap: number): number {
  return Math.max(1, width - gap * (count - 1)) / aspects;
}

/** How high rows are meant to be, and how far apart tiles are, on a page of this width. */
export function rowMeasures(width: number): { target: number; gap: number } {
  if (width < 520) return { target: 108, gap: 6 };
  if (width < 900) return { target: 128, gap: 8 };
  return { target: 156, gap: 8 };
}
