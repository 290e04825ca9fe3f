"""Groups of pictures on a map: k-means of their vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans, MiniBatchKMeans

from sightline_search_gateway.maps.results import MapCluster
from sightline_search_gateway.maps.worker.cluster_names import commonest_label
from sightline_search_gateway.maps.worker.separation import silhouette
from sightline_search_gateway.vectors import unit

FEWEST, MOST = 2, 12
SAMPLE = 1000
MANY_POINTS = 10_000
SEED = 20
SAME_DECIMALS = 5


def group_vectors(vectors: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return the cluster of each of (n, d) unit vectors, (n,) int16.

    k is the one of the best silhouette on a sample, from 2 to 12 and at most half as many as there are different
    vectors; the largest cluster is the first.
    """
    rows = np.random.default_rng(SEED).permutation(len(vectors))[:SAMPLE]
    sample = vectors[rows]
    different = len(np.unique(np.round(sample, SAME_DECIMALS), axis=0))
    if different < FEWEST:
        return np.zeros(len(vectors), np.int16)
    best_k, best_score = FEWEST, -2.0
    for k in range(FEWEST, min(MOST, different // 2) + 1):
        found = KMeans(k, n_init=1, random_state=SEED).fit_predict(sample)
        if len(np.unique(found)) < 2:
            continue
        score = silhouette(sample, found)
        if score > best_score:
            best_k, best_score = k, score
    kind = MiniBatchKMeans if len(vectors) > MANY_POINTS else KMeans
    found = kind(best_k, n_init=3, random_state=SEED).fit_predict(vectors)
    order = np.argsort(-np.bincount(found, minlength=best_k), kind="stable")
    rank = np.empty(best_k, np.int16)
    rank[order] = np.arange(best_k, dtype=np.int16)
    cluster: NDArray[np.int16] = rank[found]
    return cluster


def centroids_of(vectors: NDArray[np.float32], cluster: NDArray[np.int16], count: int) -> NDArray[np.float32]:
    """Return the means of some clusters' vectors, (count, d), of length one; zeros for an empty cluster."""
    sums = np.equal.outer(np.arange(count), cluster).astype(np.float32) @ vectors
    return unit(sums)


def nearest_group(vectors: NDArray[np.float32], centroids: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return the cluster of each of some vectors by the nearest of (k, d) centroids, (n,) int16."""
    return np.asarray(np.argmax(vectors @ centroids.T, axis=1), dtype=np.int16)


def majority_names(
    cluster: NDArray[np.int16], label: NDArray[np.int32], labels: Sequence[str], count: int
) -> list[str]:
    """Return a name for each of so many clusters: the label of most of its pictures; a number where there is none."""
    members = [label[(cluster == one) & (label >= 0)].tolist() for one in range(count)]
    names = [commonest_label(labels[number] for number in numbers) for numbers in members]
    return [name or f"group {one + 1}" for one, name in enumerate(names)]


def map_clusters(cluster: NDArray[np.int16], names: Sequence[str]) -> list[MapCluster]:
    """Return the clusters as an answer has them."""
    sizes = np.bincount(cluster[cluster >= 0], minlength=len(names))
    return [MapCluster(id=one, name=name, size=int(sizes[one])) for one, name in enumerate(names)]
