"""Results as clusters and a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import Image

from sightline_search_gateway.graph import pairs
from sightline_search_gateway.grouping import group
from sightline_search_gateway.naming import label_names, name_groups
from sightline_search_gateway.vocabulary import Words

MOST_ARRANGED = 50
"""Of an answer's results, the first so many are put into clusters."""
QUERY = "query"
DECIMALS = 4


@dataclass(frozen=True)
class Arrangement:
    """An answer's clusters and graph, as they go into it.

    Attributes:
        clusters: The one with the best result first.
        edges: Each pair once.
        cluster_of: Of each result that was arranged, the place of its cluster.
    """

    clusters: list[dict[str, Any]] = field(default_factory=list)
    edges: list[dict[str, Any]] = field(default_factory=list)
    cluster_of: list[int] = field(default_factory=list)


def arrange(
    images: Sequence[Image],
    similarities: NDArray[np.float32],
    vectors: NDArray[np.float32],
    words: Words | None = None,
    query: str | None = None,
) -> Arrangement:
    """Put the first 50 results into clusters and join them.

    Args:
        images: n results, the best first.
        similarities: (n,) their cosines with the query.
        vectors: (n, dimensions) float32, of length one.
        words: To name the clusters with; without them, the commonest folder is a cluster's name.
        query: What was asked for, where that is a text.
    """
    images, similarities, vectors = images[:MOST_ARRANGED], similarities[:MOST_ARRANGED], vectors[:MOST_ARRANGED]
    if not images:
        return Arrangement()
    groups = group(vectors)
    between = vectors @ vectors.T
    members = [np.flatnonzero(groups == number).tolist() for number in range(int(groups.max()) + 1)]
    centroids = np.stack([vectors[places].mean(axis=0) for places in members])
    if words is not None:
        names: list[str | None] = [*name_groups(centroids, [len(places) for places in members], words, query)]
    else:
        names = label_names([[images[place].label for place in places] for places in members])
    clusters = []
    for number, places in enumerate(members):
        nearness = np.round(vectors[places] @ centroids[number], DECIMALS)
        clusters.append(
            {
                "id": number,
                "name": names[number],
                "size": len(places),
                "best_id": images[places[int(np.argmax(nearness))]].id,
                "similarity": round(float(similarities[places].mean()), DECIMALS),
            }
        )
    edges: list[dict[str, Any]] = [
        {"source": QUERY, "target": image.id, "similarity": round(similarity, DECIMALS)}
        for image, similarity in zip(images, similarities.tolist(), strict=True)
    ]
    edges += [
        {
            "source": images[one].id,
            "target": images[other].id,
            "similarity": round(float(between[one, other]), DECIMALS),
        }
        for one, other in pairs(between, groups)
    ]
    return Arrangement(clusters, edges, groups.tolist())
