import { createNodeImageProgram } from '@sigma/node-image';
import Graph from 'graphology';
import Sigma from 'sigma';
import { animateNodes } from 'sigma/utils';
import type { ColorScheme } from '../lib/color-scheme';
import {
  drawGrounds,
  drawNames,
  drawQuery,
  drawRim,
  drawRing,
  drawVeils,
  groundsOf,
  type Ground,
  type Projection,
} from './backdrop';
import type { Layout, Point } from './layout';
import { neighbours, QUERY, type ResultGraph } from './model';
import { ACCENT, BLANK, clusterColor, GROUND } from './palette';
import { graphPng } from './png';
import { edgeLook, spanOf, type Span } from './edge-style';

export interface Scene {
  graph: ResultGraph;
  layout: Layout;
  /** What stands in the middle: a picture, or words where there is none. */
  center: { picture: string | null; words: string };
}

export interface Listeners {
  hover: (id: string | null) => void;
  clear: () => void;
  pick: (id: string, byTouch: boolean) => void;
  rest: () => void;
  /** All pictures are drawn, but for those that cannot be had. */
  arrived: () => void;
  moved: () => void;
}

interface NodeLook {
  x: number;
  y: number;
  size: number;
  color: string;
  cluster: number;
  type: string;
  image?: string;
}

interface EdgeLine {
  similarity: number;
}

const UNFOLD_MS = 550;
const CAMERA_MS = 260;
const HOME = { x: 0.5, y: 0.5, ratio: 1, angle: 0 };
const TEXTURE_SIDE = 256;
/** Pictures that arrive within so long are put on the texture together. */
const TEXTURE_MS = 120;
const TEXTURE_MOST = 2560;
const CROWD = 300;
const FAINT = 0.12;

/** Draws a scene with sigma, and says what is pointed at. Nothing moves by itself once `rest` was called. */
export class GraphRenderer {
  readonly sigma: Sigma<NodeLook, EdgeLine>;
  readonly #graph = new Graph<NodeLook, EdgeLine>();
  readonly #listeners: Listeners;
  readonly #motion: boolean;
  #scene: Scene | null = null;
  #grounds: Ground[] = [];
  #span: Span = spanOf([]);
  #scheme: ColorScheme;
  #hidden: ReadonlySet<number> = new Set();
  #least = 0;
  #lit: string | null = null;
  #near: ReadonlyMap<string, number> = new Map();
  #unfolding: (() => void) | null = null;
  readonly #seen = new Set<string>();
  #arrival: Promise<void> = Promise.resolve();

  /** Throws where the browser draws no WebGL. */
  constructor(container: HTMLElement, scheme: ColorScheme, motion: boolean, listeners: Listeners) {
    this.#scheme = scheme;
    this.#motion = motion;
    this.#listeners = listeners;
    this.sigma = new Sigma<NodeLook, EdgeLine>(this.#graph, container, {
      // Two quick clicks are two clicks: nothing here waits for a second one.
      doubleClickTimeout: 0,
      itemSizesReference: 'positions',
      zoomToSizeRatioFunction: (ratio) => ratio,
      stagePadding: 0,
      minCameraRatio: 0.12,
      maxCameraRatio: 1.6,
      minEdgeThickness: 1.7,
      renderLabels: false,
      zIndex: true,
      // Not a duration of 0, which sigma divides by.
      ...(motion ? {} : { inertiaRatio: 0 }),
      defaultDrawNodeHover: () => {},
      defaultNodeType: 'picture',
      nodeProgramClasses: {
        picture: createNodeImageProgram<NodeLook, EdgeLine>({
          size: { mode: 'max', value: TEXTURE_SIDE },
          objectFit: 'cover',
          keepWithinCircle: true,
          crossOrigin: null,
          debounceTimeout: TEXTURE_MS,
          maxTextureSize: TEXTURE_MOST,
        }),
      },
      nodeReducer: (id, look) => ({ ...look, hidden: this.#hides(id), zIndex: id === this.#lit ? 2 : 0 }),
      edgeReducer: (edge, line) => this.#line(edge, line.similarity),
    });
    const grounds = { beforeLayer: 'edges' };
    const names = { beforeLayer: 'mouse' };
    const passive = { style: { pointerEvents: 'none' } };
    this.sigma.createCanvasContext('grounds', { ...grounds, ...passive });
    this.sigma.createCanvasContext('names', { ...names, ...passive });
    this.sigma.resize(true);
    this.sigma.on('afterRender', () => this.#paint());
    this.sigma.on('enterNode', ({ node }) => this.#listeners.hover(node));
    this.sigma.on('leaveNode', () => this.#listeners.hover(null));
    this.sigma.on('clickNode', ({ node, event }) =>
      this.#listeners.pick(node, !(event.original instanceof MouseEvent)),
    );
    this.sigma.on('clickStage', () => this.#listeners.clear());
    this.sigma.getCamera().on('updated', () => this.#listeners.moved());
  }

  /** Whether it holds so many pictures by now that a new one is better. */
  get crowded(): boolean {
    return this.#seen.size > CROWD;
  }

  /** Shows a scene; pictures of the one before go from where they were to where they belong. */
  show(scene: Scene): void {
    this.#unfolding?.();
    const before = new Map(this.#graph.mapNodes((id, { x, y }) => [id, { x, y }]));
    const { graph, layout, center } = scene;
    this.#scene = scene;
    this.#lit = null;
    this.#span = spanOf(graph.edges.map(({ similarity }) => similarity));
    this.#grounds = groundsOf(graph, layout);
    this.#graph.clear();
    this.sigma.setCustomBBox({
      x: [-layout.width / 2, layout.width / 2],
      y: [-layout.height / 2, layout.height / 2],
    });
    const targets: Record<string, { x: number; y: number }> = {};
    const add = (id: string, look: Pick<NodeLook, 'cluster' | 'image'>) => {
      const place = layout.places.get(id);
      if (!place) return;
      // Sigma's y is up.
      const target = { x: place.x, y: -place.y };
      targets[id] = target;
      const from = before.get(id) ?? { x: target.x * 0.35, y: target.y * 0.35 };
      const at = this.#motion ? from : target;
      this.#graph.addNode(id, { ...at, size: place.radius, color: '', type: 'picture', ...look });
    };
    add(QUERY, { cluster: -1, ...(center.picture ? { image: center.picture } : {}) });
    for (const { picture, cluster } of graph.nodes)
      add(picture.id, { cluster, image: picture.thumbnail_url });
    // Thick ones first: thin ones would be lost beneath them.
    for (const { source, target, similarity } of [...graph.edges].sort(
      (a, b) => b.similarity - a.similarity,
    )) {
      if (!this.#graph.hasEdge(source, target)) this.#graph.addUndirectedEdge(source, target, { similarity });
    }
    this.#recolor();
    this.#await(scene);
    this.#turn({ ...HOME });
    if (!this.#motion) {
      this.sigma.refresh();
      this.#listeners.rest();
      return;
    }
    this.#unfolding = animateNodes(
      this.#graph,
      targets,
      { duration: UNFOLD_MS, easing: 'cubicInOut' },
      () => {
        this.#unfolding = null;
        this.#listeners.rest();
      },
    );
  }

  set scheme(scheme: ColorScheme) {
    if (scheme === this.#scheme) return;
    this.#scheme = scheme;
    this.#recolor();
    this.sigma.refresh();
  }

  /** Which clusters are hidden, and from which similarity on edges are drawn. */
  filter(hidden: ReadonlySet<number>, least: number): void {
    this.#hidden = hidden;
    this.#least = least;
    this.sigma.refresh({ skipIndexation: true });
  }

  /** Lights a picture and its edges; the others fade. */
  light(id: string | null): void {
    if (id === this.#lit) return;
    this.#lit = id !== null && this.#graph.hasNode(id) ? id : null;
    this.#near = this.#lit === null || !this.#scene ? new Map() : neighbours(this.#scene.graph, this.#lit);
    this.sigma.refresh({ skipIndexation: true });
  }

  zoom(factor: number): void {
    const camera = this.sigma.getCamera();
    this.#turn({ ...camera.getState(), ratio: camera.getBoundedRatio(camera.ratio * factor) });
  }

  reset(): void {
    this.#turn({ ...HOME });
  }

  /** Brings a picture to the middle where it is out of sight, or wherever it is. */
  reach(id: string, always = false): void {
    const place = this.where(id);
    const data = this.sigma.getNodeDisplayData(id);
    if (!place || !data) return;
    const { width, height } = this.sigma.getDimensions();
    const inside = place.x > 0 && place.y > 0 && place.x < width && place.y < height;
    if (!inside || always) this.#turn({ ...this.sigma.getCamera().getState(), x: data.x, y: data.y });
  }

  /** Where a picture is drawn, in pixels of the container; null where it is hidden or not there. */
  where(id: string): (Point & { radius: number }) | null {
    if (!this.#graph.hasNode(id) || this.#hides(id)) return null;
    const { x, y, size } = this.#graph.getNodeAttributes(id);
    return { ...this.sigma.graphToViewport({ x, y }), radius: this.sigma.scaleSize(size) };
  }

  /** The graph as it is seen now, pictures included, at twice the size. */
  async png(): Promise<Blob> {
    await this.#arrival;
    return graphPng(this.sigma as unknown as Sigma, GROUND[this.#scheme], {
      under: (context) => this.#paintGrounds(context),
      over: (context) => this.#paintNames(context),
    });
  }

  kill(): void {
    this.#unfolding?.();
    this.sigma.kill();
  }

  /** Pictures come when they come; `arrived` is when the last one is drawn, or known to be missing. */
  #await(scene: Scene): void {
    const urls = scene.graph.nodes.map(({ picture }) => picture.thumbnail_url);
    if (scene.center.picture) urls.push(scene.center.picture);
    for (const url of urls) this.#seen.add(url);
    this.#arrival = Promise.allSettled(
      urls.map((url) => Object.assign(new Image(), { src: url }).decode()),
    ).then(() => new Promise((done) => setTimeout(done, 2 * TEXTURE_MS)));
    void this.#arrival.then(() => this.#scene === scene && this.#listeners.arrived());
  }

  #turn(state: { x: number; y: number; ratio: number; angle: number }): void {
    // Always an animation, if one of a single frame: it takes the place of one that is still going on.
    void this.sigma.getCamera().animate(state, { duration: this.#motion ? CAMERA_MS : 1 });
  }

  #hides(id: string): boolean {
    const cluster = this.#graph.getNodeAttribute(id, 'cluster');
    return this.#hidden.has(cluster);
  }

  #line(edge: string, similarity: number) {
    const [source, target] = this.#graph.extremities(edge);
    const lit = this.#lit === null || source === this.#lit || target === this.#lit;
    const { width, color } = edgeLook(similarity, this.#span, this.#scheme, lit ? 1 : FAINT);
    return {
      size: width,
      color,
      zIndex: this.#lit !== null && lit ? 1 : 0,
      hidden: similarity < this.#least || this.#hides(source) || this.#hides(target),
    };
  }

  #recolor(): void {
    this.#graph.updateEachNodeAttributes((_, look) => ({
      ...look,
      // Seen until the picture is there; its cluster's colour is the rim's.
      color: look.cluster < 0 ? ACCENT[this.#scheme] : BLANK[this.#scheme],
    }));
  }

  #projection(): Projection {
    return {
      point: ({ x, y }) => this.sigma.graphToViewport({ x, y: -y }),
      scale: this.sigma.scaleSize(1),
    };
  }

  #paint(): void {
    const { grounds, names } = this.sigma.getCanvases();
    const { width, height } = this.sigma.getDimensions();
    for (const [canvas, paint] of [
      [grounds, (context: CanvasRenderingContext2D) => this.#paintGrounds(context)],
      [names, (context: CanvasRenderingContext2D) => this.#paintNames(context)],
    ] as const) {
      const context = canvas?.getContext('2d');
      if (!context) continue;
      context.clearRect(0, 0, width, height);
      paint(context);
    }
  }

  #shownGrounds(): Ground[] {
    // Not while pictures are still on their way to where the grounds are.
    return this.#unfolding ? [] : this.#grounds.filter(({ cluster }) => !this.#hidden.has(cluster));
  }

  #paintGrounds(context: CanvasRenderingContext2D): void {
    drawGrounds(context, this.#shownGrounds(), this.#projection(), this.#scheme);
  }

  #paintNames(context: CanvasRenderingContext2D): void {
    if (!this.#scene) return;
    const { layout, center } = this.#scene;
    const projection = this.#projection();
    this.#graph.forEachNode((id, { x, y, size, cluster }) => {
      const color = cluster < 0 ? ACCENT[this.#scheme] : clusterColor(cluster, this.#scheme);
      const rim = { x, y: -y, radius: size };
      if (!this.#hides(id) && (id !== QUERY || center.picture)) drawRim(context, rim, projection, color);
    });
    if (!center.picture) drawQuery(context, center.words, layout, projection, this.#scheme);
    if (this.#lit !== null) {
      const faint = [...layout.places].filter(
        ([id]) => id !== this.#lit && id !== QUERY && !this.#near.has(id) && !this.#hides(id),
      );
      drawVeils(
        context,
        faint.map(([, place]) => place),
        projection,
        this.#scheme,
      );
      const lit = layout.places.get(this.#lit);
      if (lit) drawRing(context, lit, projection, ACCENT[this.#scheme]);
    }
    drawNames(context, this.#shownGrounds(), projection, this.#scheme);
  }
}
