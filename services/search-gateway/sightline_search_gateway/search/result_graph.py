"""Results as clusters and a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree
from sightline_catalogue import Image

from sightline_search_gateway.answer_schemas import Uuid
from sightline_search_gateway.search.cluster_names import commonest_labels, name_clusters
from sightline_search_gateway.search.clustering import group
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings

MAX_CLUSTERED = 50
"""Of an answer's results, the first so many are put into clusters."""
QUERY = "query"
DECIMALS = 4
NEIGHBOURS = 2
Pair = tuple[int, int]


@dataclass
class Cluster:
    """Results that are like each other."""

    id: Annotated[int, "Its place in the list."]
    name: Annotated[str | None, "What its pictures share, in one to three words; null where unknown."]
    size: Annotated[int, "How many results it has."]
    best_id: Annotated[Uuid, "The picture that is most like all of them together."]
    similarity: Annotated[float, "The mean cosine of its pictures to the query."]


@dataclass
class Edge:
    """A line of the graph: two that are similar, each pair at most once."""

    source: Annotated[str, "`query`, or the id of the better ranked picture."]
    target: Uuid
    similarity: Annotated[float, "Cosine, from -1 to 1."]


@dataclass(frozen=True)
class ResultGraph:
    """An answer's clusters and graph.

    Attributes:
        clusters: The one with the best result first.
        edges: Each pair once.
        cluster_of: Of each clustered result, the place of its cluster.
    """

    clusters: list[Cluster] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    cluster_of: list[int] = field(default_factory=list)


def build_result_graph(
    images: Sequence[Image],
    similarities: NDArray[np.float32],
    vectors: NDArray[np.float32],
    visual: NDArray[np.float32],
    words: VocabularyEmbeddings | None = None,
    query: str | None = None,
) -> ResultGraph:
    """Return the clusters and the graph of the first 50 results.

    Args:
        images: n results, the best first.
        similarities: (n,) their cosines with the query.
        vectors: (n, dimensions) float32, of length one, that words are compared with.
        visual: (n, d) float32, of length one, that they are compared with each other by; may be `vectors`.
        words: To name the clusters with; without them, the commonest folder is a cluster's name.
        query: The search's text, if it has one.
    """
    images, similarities = images[:MAX_CLUSTERED], similarities[:MAX_CLUSTERED]
    vectors, visual = vectors[:MAX_CLUSTERED], visual[:MAX_CLUSTERED]
    if not images:
        return ResultGraph()
    groups = group(visual)
    between = visual @ visual.T
    members = [np.flatnonzero(groups == number).tolist() for number in range(int(groups.max()) + 1)]
    centroids = np.stack([vectors[places].mean(axis=0) for places in members])
    if words is not None:
        names: list[str | None] = [*name_clusters(centroids, [len(places) for places in members], words, query)]
    else:
        names = commonest_labels([[images[place].label for place in places] for places in members])
    clusters = []
    for number, places in enumerate(members):
        nearness = np.round(visual[places] @ visual[places].mean(axis=0), DECIMALS)
        clusters.append(
            Cluster(
                id=number,
                name=names[number],
                size=len(places),
                best_id=images[places[int(np.argmax(nearness))]].id,
                similarity=round(float(similarities[places].mean()), DECIMALS),
            )
        )
    edges = [
        Edge(QUERY, image.id, round(similarity, DECIMALS))
        for image, similarity in zip(images, similarities.tolist(), strict=True)
    ]
    edges += [
        Edge(images[one].id, images[other].id, round(float(between[one, other]), DECIMALS))
        for one, other in pairs(between, groups)
    ]
    return ResultGraph(clusters, edges, groups.tolist())


def pairs(similarities: NDArray[np.float32], groups: NDArray[np.intp]) -> list[Pair]:
    """Return pairs of results, each once, the better ranked first.

    Each result is joined to its two nearest within its group; the groups by the strongest pairs between them that make
    one graph of all.

    Args:
        similarities: (n, n), between the results in their rank's order.
        groups: (n,) the group of each.
    """
    others = np.equal.outer(groups, groups)
    np.fill_diagonal(others, False)
    within = np.where(others, similarities, -np.inf)
    nearest = np.argsort(-within, axis=1, kind="stable")[:, :NEIGHBOURS]
    found = {
        _ordered(place, other)
        for place, row in enumerate(nearest.tolist())
        for other in row
        if groups[other] == groups[place] and other != place
    }
    return sorted(found | set(_bridges(similarities, groups)))


def _bridges(similarities: NDArray[np.float32], groups: NDArray[np.intp]) -> list[Pair]:
    """Return the strongest pairs between groups that join all of them: a spanning tree of the groups."""
    count = int(groups.max(initial=-1)) + 1
    first, second = np.nonzero(np.triu(groups[:, None] != groups[None, :]))
    order = np.argsort(-similarities[first, second], kind="stable")
    first, second = first[order], second[order]
    low, high = np.minimum(groups[first], groups[second]), np.maximum(groups[first], groups[second])
    _, strongest = np.unique(low * count + high, return_index=True)
    first, second, low, high = first[strongest], second[strongest], low[strongest], high[strongest]
    lengths = np.zeros((count, count))
    # Above 0, which would be no edge.
    lengths[low, high] = 2.0 - similarities[first, second]
    in_tree = minimum_spanning_tree(lengths).toarray()[low, high] > 0
    return [(one, other) for one, other in zip(first[in_tree].tolist(), second[in_tree].tolist(), strict=True)]


def _ordered(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)
