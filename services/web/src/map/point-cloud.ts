import { Camera as View, Geometry, Mesh, Program, Renderer } from 'ogl';
import { scaleOf, type Camera, type Size } from './camera';

const VERTEX = `
attribute vec2 position;
attribute vec4 color;
uniform mat4 projectionMatrix;
uniform mat4 modelViewMatrix;
uniform mediump float side;
varying vec4 tint;
void main() {
  tint = color;
  // What is hidden is moved out of the view: a point of no size costs as much as one that is drawn.
  gl_Position = color.a == 0.0 ? vec4(2.0, 2.0, 2.0, 1.0)
    : projectionMatrix * modelViewMatrix * vec4(position, 0.0, 1.0);
  gl_PointSize = side;
}`;

const FRAGMENT = `
precision mediump float;
uniform float side;
varying vec4 tint;
void main() {
  float away = (0.5 - length(gl_PointCoord - 0.5)) * side;
  float alpha = tint.a * clamp(away, 0.0, 1.0);
  gl_FragColor = vec4(tint.rgb, alpha);
}`;

/** How large a point is drawn, in CSS pixels: smaller the more there are, larger the nearer one is. */
function pointSide(count: number, zoom: number): number {
  const whole = Math.min(10, Math.max(2.5, 15 - 2.4 * Math.log10(Math.max(10, count))));
  return Math.min(14, whole * Math.max(1, zoom) ** 0.3);
}

/** The points of a map, drawn by WebGL. Throws where there is no WebGL. */
export class PointCloud {
  readonly #renderer: Renderer;
  readonly #view: View;
  readonly #program: Program;
  #mesh: Mesh | null = null;
  #geometry: Geometry | null = null;
  #count = 0;

  constructor(canvas: HTMLCanvasElement) {
    const pixels = Math.min(2, devicePixelRatio || 1);
    const options = {
      canvas,
      dpr: pixels,
      alpha: true,
      antialias: false,
      depth: false,
      premultipliedAlpha: false,
    };
    this.#renderer = new Renderer(options);
    if (!this.#renderer.gl) throw new Error('no WebGL');
    this.#view = new View(this.#renderer.gl);
    this.#program = new Program(this.#renderer.gl, {
      vertex: VERTEX,
      fragment: FRAGMENT,
      uniforms: { side: { value: 4 } },
      transparent: true,
      depthTest: false,
      depthWrite: false,
    });
  }

  /** `positions` are x, y pairs; `colors` are red, green, blue, alpha. Arrays of the same length are only updated. */
  set(positions: Float32Array, colors: Uint8Array): void {
    const known = this.#geometry?.attributes;
    if (known?.position && known.color && known.position.data?.length === positions.length) {
      known.position.data = positions;
      known.position.needsUpdate = true;
      known.color.data = colors;
      known.color.needsUpdate = true;
      return;
    }
    this.#geometry?.remove();
    const gl = this.#renderer.gl;
    this.#count = positions.length / 2;
    this.#geometry = new Geometry(gl, {
      position: { size: 2, data: positions, usage: gl.DYNAMIC_DRAW },
      color: { size: 4, data: colors, type: gl.UNSIGNED_BYTE, normalized: true, usage: gl.DYNAMIC_DRAW },
    });
    this.#mesh = new Mesh(gl, {
      mode: gl.POINTS,
      geometry: this.#geometry,
      program: this.#program,
      frustumCulled: false,
    });
  }

  resize({ width, height }: Size): void {
    this.#renderer.setSize(Math.max(1, width), Math.max(1, height));
  }

  draw(camera: Camera, size: Size): void {
    if (!this.#mesh) return;
    const scale = scaleOf(camera, size);
    const wide = size.width / 2 / scale;
    const high = size.height / 2 / scale;
    this.#view.orthographic({ left: -wide, right: wide, bottom: -high, top: high, near: -1, far: 1 });
    this.#view.position.set(camera.x, camera.y, 0);
    this.#program.uniforms.side.value = pointSide(this.#count, camera.zoom) * this.#renderer.dpr;
    this.#renderer.render({ scene: this.#mesh, camera: this.#view });
  }

  /** Gives the graphics memory back. */
  remove(): void {
    this.#geometry?.remove();
    this.#program.remove();
    this.#renderer.gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}
