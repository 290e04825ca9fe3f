"""Results as clusters and a graph."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree
from sightline_catalogue import Image

from sightline_search_gateway.answer_schemas import Uuid
from sightline_search_gateway.search.cluster_names import name_cluster
from sightline_search_gateway.search.clustering import group
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings

MAX_CLUSTERED = 50
"""Of an answer's results, the first so many are in the graph."""
QUERY = "query"
DECIMALS = 4
NEIGHBOURS = 2
Pair = tuple[int, int]


@dataclass
class Cluster:
    """Results that are like each other."""

    id: Annotated[int, "Its place in the list."]
    name: Annotated[
        str | None,
        "What its pictures share: the name of their folder, a word, or two of them; null where nothing says it.",
    ]
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
        cluster_of: Of each result in the graph, the place of its cluster; None of one that is not likely.
    """

    clusters: list[Cluster] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    cluster_of: list[int | None] = field(default_factory=list)


def build_result_graph(
    images: Sequence[Image],
    similarities: NDArray[np.float32],
    vectors: NDArray[np.float32],
    visual: NDArray[np.float32],
    *,
    likely: int | None = None,
    words: VocabularyEmbeddings | None = None,
    query: str | None = None,
    common: Set[str] = frozenset(),
) -> ResultGraph:
    """Return the graph of the first 50 results, and the clusters of those of them that are likely.

    Clusters of one name are one.

    Args:
        images: n results, the best first.
        similarities: (n,) their cosines with the query.
        vectors: (n, dimensions) float32, of length one, that words are compared with.
        visual: (n, d) float32, of length one, that they are compared with each other by; may be `vectors`.
        likely: How many of the first are; None where that is not known, so that all are in clusters.
        words: To name the clusters with; without them, folders alone give names.
        query: The search's text, if it has one.
        common: Labels that tell nothing, since most of the collection has them.
    """
    images, similarities = images[:MAX_CLUSTERED], similarities[:MAX_CLUSTERED]
    vectors, visual = vectors[:MAX_CLUSTERED], visual[:MAX_CLUSTERED]
    if not images:
        return ResultGraph()
    count = len(images) if likely is None else min(likely, len(images))
    groups, names = _named_groups(images[:count], vectors[:count], visual[:count], words, query, common)
    clusters = []
    for number, name in enumerate(names):
        places = np.flatnonzero(groups == number)
        nearness = np.round(visual[places] @ visual[places].mean(axis=0), DECIMALS)
        clusters.append(
            Cluster(
                id=number,
                name=name,
                size=len(places),
                best_id=images[places.tolist()[int(np.argmax(nearness))]].id,
                similarity=round(float(similarities[places].mean()), DECIMALS),
            )
        )
    edges = [
        Edge(QUERY, image.id, round(similarity, DECIMALS))
        for image, similarity in zip(images, similarities.tolist(), strict=True)
    ]
    between = visual @ visual.T
    # The others are joined to each other and to the clusters as if they were one more.
    joined = np.concatenate([groups, np.full(len(images) - count, len(names))])
    edges += [
        Edge(images[one].id, images[other].id, round(float(between[one, other]), DECIMALS))
        for one, other in pairs(between, joined)
    ]
    return ResultGraph(clusters, edges, [*groups.tolist(), *[None] * (len(images) - count)])


def _named_groups(
    images: Sequence[Image],
    vectors: NDArray[np.float32],
    visual: NDArray[np.float32],
    words: VocabularyEmbeddings | None,
    query: str | None,
    common: Set[str],
) -> tuple[NDArray[np.intp], list[str | None]]:
    """Return the group of each of n images, (n,), in the order in which they first occur, and the groups' names."""
    groups = group(visual)
    names: list[str | None] = []
    number_of = np.empty(int(groups.max(initial=-1)) + 1, dtype=np.intp)
    for number in range(len(number_of)):
        places = np.flatnonzero(groups == number).tolist()
        name = name_cluster([images[place].label for place in places], vectors[places], words, query, common)
        if name is None or name not in names:
            names.append(name)
            number_of[number] = len(names) - 1
        else:
            number_of[number] = names.index(name)
    return number_of[groups], names


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
