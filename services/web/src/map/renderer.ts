import type { Camera, Size } from './camera';
import { PointCloud } from './point-cloud';

/** Nearly as long as until the next state of a map that is being made comes. */
const MOVE_MS = 900;

/** Draws the points when something changed, and moves them softly to where a newer state of the map has them. */
export class MapRenderer {
  readonly #cloud: PointCloud;
  #camera: Camera;
  #size: Size = { width: 1, height: 1 };
  #from: Float32Array = new Float32Array(0);
  #to: Float32Array = new Float32Array(0);
  #now: Float32Array = new Float32Array(0);
  #colors: Uint8Array = new Uint8Array(0);
  #began = 0;
  #moving = false;
  #frame = 0;

  constructor(canvas: HTMLCanvasElement, camera: Camera) {
    this.#cloud = new PointCloud(canvas);
    this.#camera = camera;
  }

  /** `positions` are x, y pairs. With `softly`, as many points as before move there. */
  place(positions: Float32Array, colors: Uint8Array, softly: boolean): void {
    const same = positions.length === this.#now.length;
    this.#colors = colors;
    this.#to = positions;
    this.#moving = softly && same;
    if (this.#moving) {
      this.#from = this.#now.slice();
      this.#now = this.#now.slice();
      this.#began = performance.now();
    } else {
      this.#now = positions;
    }
    if (positions.length === colors.length / 2) this.#cloud.set(this.#now, colors);
    this.request();
  }

  paint(colors: Uint8Array): void {
    this.#colors = colors;
    if (this.#now.length === colors.length / 2) this.#cloud.set(this.#now, colors);
    this.request();
  }

  look(camera: Camera, size: Size): void {
    if (size.width !== this.#size.width || size.height !== this.#size.height) this.#cloud.resize(size);
    this.#camera = camera;
    this.#size = size;
    this.request();
  }

  request(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame((time) => this.#draw(time));
  }

  /** Draws at once: a picture of the canvas must be taken in the same task. */
  drawNow(): void {
    this.#cloud.draw(this.#camera, this.#size);
  }

  remove(): void {
    cancelAnimationFrame(this.#frame);
    this.#cloud.remove();
  }

  #draw(time: number): void {
    this.#frame = 0;
    if (this.#moving) {
      const share = Math.min(1, Math.max(0, (time - this.#began) / MOVE_MS));
      const eased = 1 - (1 - share) ** 3;
      for (let place = 0; place < this.#now.length; place += 1) {
        const from = this.#from[place] ?? 0;
        this.#now[place] = from + ((this.#to[place] ?? 0) - from) * eased;
      }
      this.#moving = share < 1;
      this.#cloud.set(this.#now, this.#colors);
    }
    this.drawNow();
    if (this.#moving) this.request();
  }
}
