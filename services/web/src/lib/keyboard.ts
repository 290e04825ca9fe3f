/** Moving between tiles by arrow keys, over rows of any shape. */

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

const center = (box: Box) => box.left + box.width / 2;
const middle = (box: Box) => box.top + box.height / 2;

/**
 * The index of the tile that a key leads to from `current`; null where it leads nowhere. Left and right follow the
 * ranking; up and down go to the tile of the next row whose middle is nearest.
 */
export function arrowTarget(boxes: readonly Box[], current: number, key: string): number | null {
  const from = boxes[current];
  if (!from) return null;
  switch (key) {
    case 'ArrowRight':
      return current + 1 < boxes.length ? current + 1 : null;
    case 'ArrowLeft':
      return current > 0 ? current - 1 : null;
    case 'Home':
      return current === 0 ? null : 0;
    case 'End':
      return current === boxes.length - 1 ? null : boxes.length - 1;
    case 'ArrowDown':
    case 'ArrowUp': {
      const down = key === 'ArrowDown';
      // A box is in another row when its middle lies beyond this one's edge.
      const beyond = boxes
        .map((box, index) => ({ box, index }))
        .filter(({ box }) => (down ? middle(box) > from.top + from.height : middle(box) < from.top));
      if (beyond.length === 0) return null;
      const edge = beyond.reduce(
        (best, { box }) => (down ? Math.min(best, middle(box)) : Math.max(best, middle(box))),
        down ? Infinity : -Infinity,
      );
      const row = beyond.filter(({ box }) => box.top <= edge && edge <= box.top + box.height);
      let nearest: number | null = null;
      let distance = Infinity;
      for (const { box, index } of row) {
        const away = Math.abs(center(box) - center(from));
        if (away < distance) {
          distance = away;
          nearest = index;
        }
      }
      return nearest;
    }
    default:
      return null;
  }
}
