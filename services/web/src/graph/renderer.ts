import Graph from 'graphology';
import type Sigma from 'sigma';
import { animateNodes } from 'sigma/utils';
import type { ColorScheme } from '../lib/color-scheme';
import {
  drawAreas,
  drawClusterNames,
  drawQuery,
  drawBorder,
  drawRing,
  drawFading,
  clusterAreas,
  type ClusterArea,
  type Projection,
} from './layers';
import type { Layout, Point } from './layout';
import { neighbours, QUERY, type ResultGraph } from './model';
import { ACCENT, PLACEHOLDER, clusterColor, BACKGROUND } from './palette';
import { graphPng, type Painters } from './png';
import { edgeLook, spanOf, type Span } from './edge-style';
import { createSigma, TEXTURE_MS, type EdgeLine, type NodeLook } from './sigma';

interface Scene {
  graph: ResultGraph;
  layout: Layout;
  /** What stands in the middle: a picture, or words where there is none. */
  center: { picture: string | null; words: string };
}

interface Listeners {
  hover: (id: string | null) => void;
  clear: () => void;
  pick: (id: string, byTouch: boolean) => void;
  /** Nothing moves by itself any more. */
  settled: () => void;
  /** All pictures are drawn, but for those that cannot be loaded. */
  imagesLoaded: () => void;
  moved: () => void;
}

const UNFOLD_MS = 550;
const CAMERA_MS = 260;
const HOME = { x: 0.5, y: 0.5, ratio: 1, angle: 0 };
const MAX_IMAGES = 300;
const FADED_STRENGTH = 0.12;

/** Draws a scene with sigma, and says what is pointed at. */
export class GraphRenderer {
  readonly sigma: Sigma<NodeLook, EdgeLine>;
  readonly #graph = new Graph<NodeLook, EdgeLine>();
  readonly #listeners: Listeners;
  readonly #motion: boolean;
  readonly #painters: Painters = {
    under: (context) => this.#paintUnder(context),
    over: (context) => this.#paintOver(context),
  };
  #scene: Scene | null = null;
  #areas: ClusterArea[] = [];
  #span: Span = spanOf([]);
  #scheme: ColorScheme;
  #hidden: ReadonlySet<number> = new Set();
  #least = 0;
  #highlighted: string | null = null;
  #neighbours: ReadonlyMap<string, number> = new Map();
  #unfolding: (() => void) | null = null;
  readonly #images = new Set<string>();
  #imagesLoaded: Promise<void> = Promise.resolve();

  /** Throws where the browser draws no WebGL. */
  constructor(container: HTMLElement, scheme: ColorScheme, motion: boolean, listeners: Listeners) {
    this.#scheme = scheme;
    this.#motion = motion;
    this.#listeners = listeners;
    this.sigma = createSigma(this.#graph, container, motion, {
      node: (id, look) => ({ ...look, hidden: this.#hides(id), zIndex: id === this.#highlighted ? 2 : 0 }),
      edge: (edge, { similarity }) => this.#edgeLine(edge, similarity),
    });
    this.sigma.on('afterRender', () => this.#paint());
    this.sigma.on('enterNode', ({ node }) => this.#listeners.hover(node));
    this.sigma.on('leaveNode', () => this.#listeners.hover(null));
    this.sigma.on('clickNode', ({ node, event }) =>
      this.#listeners.pick(node, !(event.original instanceof MouseEvent)),
    );
    this.sigma.on('clickStage', () => this.#listeners.clear());
    this.sigma.getCamera().on('updated', () => this.#listeners.moved());
  }

  /** Whether its textures hold so many pictures by now that a new renderer is better. */
  get full(): boolean {
    return this.#images.size > MAX_IMAGES;
  }

  /** Shows a scene; pictures of the one before go from where they were to where they belong. */
  show(scene: Scene): void {
    this.#unfolding?.();
    const before = new Map(this.#graph.mapNodes((id, { x, y }) => [id, { x, y }]));
    const { graph, layout, center } = scene;
    this.#scene = scene;
    this.#highlighted = null;
    this.#span = spanOf(graph.edges.map(({ similarity }) => similarity));
    this.#areas = clusterAreas(graph, layout);
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
    this.#waitForImages(scene);
    this.#moveCamera({ ...HOME });
    if (!this.#motion) {
      this.sigma.refresh();
      this.#listeners.settled();
      return;
    }
    this.#unfolding = animateNodes(
      this.#graph,
      targets,
      { duration: UNFOLD_MS, easing: 'cubicInOut' },
      () => {
        this.#unfolding = null;
        this.#listeners.settled();
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

  /** Highlights a picture and its edges; the others fade. */
  highlight(id: string | null): void {
    if (id === this.#highlighted) return;
    this.#highlighted = id !== null && this.#graph.hasNode(id) ? id : null;
    this.#neighbours =
      this.#highlighted === null || !this.#scene
        ? new Map()
        : neighbours(this.#scene.graph, this.#highlighted);
    this.sigma.refresh({ skipIndexation: true });
  }

  zoom(factor: number): void {
    const camera = this.sigma.getCamera();
    this.#moveCamera({ ...camera.getState(), ratio: camera.getBoundedRatio(camera.ratio * factor) });
  }

  reset(): void {
    this.#moveCamera({ ...HOME });
  }

  /** Moves the camera to a picture that is out of sight. */
  bringIntoView(id: string): void {
    const position = this.positionOf(id);
    const { width, height } = this.sigma.getDimensions();
    const visible = position && position.x > 0 && position.y > 0 && position.x < width && position.y < height;
    if (!visible) this.centerOn(id);
  }

  centerOn(id: string): void {
    const data = this.positionOf(id) && this.sigma.getNodeDisplayData(id);
    if (data) this.#moveCamera({ ...this.sigma.getCamera().getState(), x: data.x, y: data.y });
  }

  /** Where a picture is drawn, in pixels of the container; null where it is hidden or not there. */
  positionOf(id: string): (Point & { radius: number }) | null {
    if (!this.#graph.hasNode(id) || this.#hides(id)) return null;
    const { x, y, size } = this.#graph.getNodeAttributes(id);
    return { ...this.sigma.graphToViewport({ x, y }), radius: this.sigma.scaleSize(size) };
  }

  /** The graph as it is seen now, pictures included, at twice the size. */
  async png(): Promise<Blob> {
    await this.#imagesLoaded;
    return graphPng(this.sigma as unknown as Sigma, BACKGROUND[this.#scheme], this.#painters);
  }

  kill(): void {
    this.#unfolding?.();
    this.sigma.kill();
  }

  /** Says when the last picture is drawn, or known to be missing. */
  #waitForImages(scene: Scene): void {
    const urls = scene.graph.nodes.map(({ picture }) => picture.thumbnail_url);
    if (scene.center.picture) urls.push(scene.center.picture);
    for (const url of urls) this.#images.add(url);
    this.#imagesLoaded = Promise.allSettled(
      urls.map((url) => Object.assign(new Image(), { src: url }).decode()),
    ).then(() => new Promise((done) => setTimeout(done, 2 * TEXTURE_MS)));
    void this.#imagesLoaded.then(() => this.#scene === scene && this.#listeners.imagesLoaded());
  }

  #moveCamera(state: { x: number; y: number; ratio: number; angle: number }): void {
    // Always an animation, if one of a single frame: it takes the place of one that is still going on.
    void this.sigma.getCamera().animate(state, { duration: this.#motion ? CAMERA_MS : 1 });
  }

  #hides(id: string): boolean {
    const cluster = this.#graph.getNodeAttribute(id, 'cluster');
    return this.#hidden.has(cluster);
  }

  #edgeLine(edge: string, similarity: number) {
    const [source, target] = this.#graph.extremities(edge);
    const highlighted =
      this.#highlighted === null || source === this.#highlighted || target === this.#highlighted;
    const { width, color } = edgeLook(similarity, this.#span, this.#scheme, highlighted ? 1 : FADED_STRENGTH);
    return {
      size: width,
      color,
      zIndex: this.#highlighted !== null && highlighted ? 1 : 0,
      hidden: similarity < this.#least || this.#hides(source) || this.#hides(target),
    };
  }

  #recolor(): void {
    this.#graph.updateEachNodeAttributes((_, look) => ({
      ...look,
      // Seen until the picture is loaded; its cluster's colour is that of the border.
      color: look.cluster < 0 ? ACCENT[this.#scheme] : PLACEHOLDER[this.#scheme],
    }));
  }

  #projection(): Projection {
    return {
      point: ({ x, y }) => this.sigma.graphToViewport({ x, y: -y }),
      scale: this.sigma.scaleSize(1),
    };
  }

  #paint(): void {
    const canvases = this.sigma.getCanvases();
    const { width, height } = this.sigma.getDimensions();
    for (const layer of ['under', 'over'] as const) {
      const context = canvases[layer]?.getContext('2d');
      if (!context) continue;
      context.clearRect(0, 0, width, height);
      this.#painters[layer](context);
    }
  }

  #shownAreas(): ClusterArea[] {
    // Not while pictures are still on their way to where the areas are.
    return this.#unfolding ? [] : this.#areas.filter(({ cluster }) => !this.#hidden.has(cluster));
  }

  #paintUnder(context: CanvasRenderingContext2D): void {
    drawAreas(context, this.#shownAreas(), this.#projection(), this.#scheme);
  }

  #paintOver(context: CanvasRenderingContext2D): void {
    if (!this.#scene) return;
    const { layout, center } = this.#scene;
    const projection = this.#projection();
    this.#graph.forEachNode((id, { x, y, size, cluster }) => {
      const color = cluster < 0 ? ACCENT[this.#scheme] : clusterColor(cluster, this.#scheme);
      const disc = { x, y: -y, radius: size };
      if (!this.#hides(id) && (id !== QUERY || center.picture)) drawBorder(context, disc, projection, color);
    });
    if (!center.picture) drawQuery(context, center.words, layout, projection, this.#scheme);
    if (this.#highlighted !== null) {
      const faded = [...layout.places].filter(
        ([id]) => id !== this.#highlighted && id !== QUERY && !this.#neighbours.has(id) && !this.#hides(id),
      );
      drawFading(
        context,
        faded.map(([, place]) => place),
        projection,
        this.#scheme,
      );
      const highlighted = layout.places.get(this.#highlighted);
      if (highlighted) drawRing(context, highlighted, projection, ACCENT[this.#scheme]);
    }
    drawClusterNames(context, this.#shownAreas(), projection, this.#scheme);
  }
}
