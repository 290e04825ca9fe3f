import { createNodeImageProgram } from '@sigma/node-image';
import type Graph from 'graphology';
import Sigma from 'sigma';
import type { EdgeDisplayData, NodeDisplayData } from 'sigma/types';

export interface NodeLook {
  x: number;
  y: number;
  size: number;
  color: string;
  cluster: number;
  type: string;
  image?: string;
}

export interface EdgeLine {
  similarity: number;
}

/** What sigma draws of a node and of an edge. */
interface Reducers {
  node: (id: string, look: NodeLook) => Partial<NodeDisplayData>;
  edge: (id: string, line: EdgeLine) => Partial<EdgeDisplayData>;
}

const TEXTURE_SIDE = 256;
/** Pictures that are loaded within so long are put on the texture together. */
export const TEXTURE_MS = 120;
const MAX_TEXTURE_SIZE = 2560;

/**
 * Sigma with pictures as nodes, and with two canvases of ours: `under` its edges and `over` its pictures. Throws where the
 * browser draws no WebGL.
 */
export function createSigma(
  graph: Graph<NodeLook, EdgeLine>,
  container: HTMLElement,
  motion: boolean,
  reducers: Reducers,
): Sigma<NodeLook, EdgeLine> {
  const sigma = new Sigma<NodeLook, EdgeLine>(graph, container, {
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
        maxTextureSize: MAX_TEXTURE_SIZE,
      }),
    },
    nodeReducer: reducers.node,
    edgeReducer: reducers.edge,
  });
  const before = (layer: string) => ({ beforeLayer: layer, style: { pointerEvents: 'none' } });
  sigma.createCanvasContext('under', before('edges'));
  sigma.createCanvasContext('over', before('mouse'));
  sigma.resize(true);
  return sigma;
}
