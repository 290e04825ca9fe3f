import type { Cluster, Edge, Picture } from '../lib/api/types';

/** The node of what is searched for; never the id of a picture. */
export const QUERY = 'query';

/** The id under which weak results, which are in no cluster, are shown together; the gateway makes eight at most. */
export const WEAK = 8;

export interface GraphNode {
  picture: Picture;
  /** From 0, the best. */
  rank: number;
  cluster: number;
}

/** What the graph draws of an answer: the query, its pictures in clusters, and the edges among them. */
export interface ResultGraph {
  nodes: readonly GraphNode[];
  clusters: readonly NamedCluster[];
  edges: readonly Edge[];
}

interface NamedCluster {
  id: number;
  name: string;
  size: number;
}

interface Answer {
  results: readonly (Picture & { cluster?: number | null })[];
  clusters?: readonly Cluster[];
  edges?: readonly Edge[];
}

const MOST = 50;

/**
 * The graph of an answer; its weak results are together, like one more cluster. A gateway that was asked for no clusters
 * gives one nameless cluster of the first fifty, each with an edge to the query.
 */
export function graphOf(answer: Answer): ResultGraph {
  const clusters: NamedCluster[] = (answer.clusters ?? []).map(({ id, name, size }) => ({
    id,
    name: name ?? `Group ${id + 1}`,
    size,
  }));
  const taken = new Set<string>();
  const nodes = answer.results
    .slice(0, MOST)
    .filter(({ id }) => !taken.has(id) && taken.add(id))
    .map((picture, rank) => ({
      picture,
      rank,
      cluster: picture.cluster ?? (picture.relevance === 'weak' ? WEAK : 0),
    }));
  const size = (of: number) => nodes.filter(({ cluster }) => cluster === of).length;
  if (clusters.length === 0 && size(0) > 0) clusters.push({ id: 0, name: 'All', size: size(0) });
  if (size(WEAK) > 0) clusters.push({ id: WEAK, name: 'Less likely', size: size(WEAK) });
  const known = new Set([QUERY, ...taken]);
  const edges = (answer.edges ?? []).filter(({ source, target }) => known.has(source) && known.has(target));
  const toQuery = nodes.map(({ picture }) => ({
    source: QUERY,
    target: picture.id,
    similarity: picture.similarity ?? 0,
  }));
  return {
    nodes,
    clusters,
    edges: edges.length > 0 ? edges : toQuery,
  };
}

/** The edges of one node, the node itself not among them: neighbour and similarity. */
export function neighbours(graph: ResultGraph, id: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const { source, target, similarity } of graph.edges) {
    if (source === id) found.set(target, similarity);
    if (target === id) found.set(source, similarity);
  }
  return found;
}
