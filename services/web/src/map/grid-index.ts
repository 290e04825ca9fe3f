/** Points sorted into square cells, so that the one under the pointer is found without looking at all. */
export class GridIndex {
  readonly #xs: ArrayLike<number>;
  readonly #ys: ArrayLike<number>;
  readonly #cells: number;
  readonly #starts: Int32Array;
  readonly #order: Int32Array;

  constructor(xs: ArrayLike<number>, ys: ArrayLike<number>) {
    this.#xs = xs;
    this.#ys = ys;
    this.#cells = Math.max(1, Math.min(512, Math.round(Math.sqrt(xs.length / 2))));
    const cells = this.#cells;
    this.#starts = new Int32Array(cells * cells + 1);
    const cellOf = new Int32Array(xs.length);
    for (let index = 0; index < xs.length; index += 1) {
      const cell = this.#column(ys[index] ?? 0) * cells + this.#column(xs[index] ?? 0);
      cellOf[index] = cell;
      this.#starts[cell + 1] = (this.#starts[cell + 1] ?? 0) + 1;
    }
    for (let cell = 0; cell < cells * cells; cell += 1)
      this.#starts[cell + 1] = (this.#starts[cell + 1] ?? 0) + (this.#starts[cell] ?? 0);
    const next = this.#starts.slice();
    this.#order = new Int32Array(xs.length);
    for (let index = 0; index < xs.length; index += 1) {
      const cell = cellOf[index] ?? 0;
      const place = next[cell] ?? 0;
      this.#order[place] = index;
      next[cell] = place + 1;
    }
  }

  #column(value: number): number {
    return Math.min(this.#cells - 1, Math.max(0, Math.floor(((value + 1) / 2) * this.#cells)));
  }

  /** The nearest point that is shown within `radius` (in units of the map); null where there is none. */
  nearest(x: number, y: number, radius: number, shown: (index: number) => boolean): number | null {
    let found: number | null = null;
    let least = radius * radius;
    const left = this.#column(x - radius);
    const right = this.#column(x + radius);
    for (let row = this.#column(y - radius); row <= this.#column(y + radius); row += 1) {
      const from = this.#starts[row * this.#cells + left] ?? 0;
      const to = this.#starts[row * this.#cells + right + 1] ?? 0;
      for (let place = from; place < to; place += 1) {
        const index = this.#order[place] ?? 0;
        const distance = ((this.#xs[index] ?? 0) - x) ** 2 + ((this.#ys[index] ?? 0) - y) ** 2;
        if (distance < least && shown(index)) {
          least = distance;
          found = index;
        }
      }
    }
    return found;
  }
}
