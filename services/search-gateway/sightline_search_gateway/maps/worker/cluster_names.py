"""Names of a map's clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import ModelRef

from sightline_search_gateway.search.cluster_names import name_clusters
from sightline_search_gateway.search.shared_cache import SharedCache
from sightline_search_gateway.search.vocabulary import read_vocabulary, stored_embeddings


class Namer(Protocol):
    """Names clusters."""

    def __call__(self, centroids: NDArray[np.float32], sizes: Sequence[int], otherwise: Sequence[str]) -> list[str]:
        """Return a name for each of (k, d) centroids of clusters of those sizes.

        Args:
            centroids: Of length one.
            sizes: How many pictures each has.
            otherwise: k names for want of better ones.
        """


def words_namer(cache: SharedCache, model: Callable[[], ModelRef]) -> Namer:
    """Return a namer by the words that a gateway has had encoded, as a search's clusters are named.

    Args:
        cache: Where the gateways keep the words' vectors.
        model: The model of the vectors that are named.
    """

    def name(centroids: NDArray[np.float32], sizes: Sequence[int], otherwise: Sequence[str]) -> list[str]:
        words = stored_embeddings(cache, read_vocabulary(), model())
        if words is None or len(words.texts) < len(centroids):
            return list(otherwise)
        return name_clusters(centroids, sizes, words)

    return name
