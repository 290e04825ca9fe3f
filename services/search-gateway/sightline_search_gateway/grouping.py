"""Vectors to groups: k-means, with as many groups as part them best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Vectors = NDArray[np.float32]
FEWEST = 6
"""Of fewer different vectors one group is made."""
MOST_GROUPS = 8
SEED = 7
SAME_DECIMALS = 5


def group(vectors: Vectors, most: int = MOST_GROUPS) -> NDArray[np.intp]:
    """Put unit vectors into 2 to `most` groups, as many as give the best mean silhouette; or into one.

    The same vectors in another order get the same groups, and equal vectors the same one. Fewer than 6 different
    vectors are one group.

    Args:
        vectors: (n, dimensions) float32, of length one; n may be 0.
        most: At most so many groups.

    Returns:
        (n,) numbers of groups from 0, in the order in which they first occur.
    """
    # Equal vectors as one with a weight: more groups than different vectors make k-means warn.
    different, place_of, count = np.unique(
        np.round(vectors, SAME_DECIMALS), axis=0, return_inverse=True, return_counts=True
    )
    if len(different) < FEWEST:
        return np.zeros(len(vectors), dtype=np.intp)
    # np.unique sorts, so that what k-means starts from depends on no order.
    distances = np.clip(1 - different @ different.T, 0, 2)
    np.fill_diagonal(distances, 0)
    best, best_score = np.zeros(len(different), dtype=np.intp), -np.inf
    # Threads would cost several times what they save on so little.
    with threadpool_limits(1):
        for number in range(2, min(most, len(different) // 2) + 1):
            means = KMeans(number, init="k-means++", n_init=1, random_state=SEED)
            groups = means.fit_predict(different, sample_weight=count)
            score = silhouette_score(distances, groups, metric="precomputed")
            if score > best_score:
                best, best_score = groups, score
    return in_order(best[place_of.reshape(-1)])


def in_order(groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return numbers of groups anew, from 0 in the order in which they first occur."""
    numbers, first, place = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(numbers), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(numbers))
    return rank[place.reshape(-1)]
