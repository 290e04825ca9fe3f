"""Names of a map's clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import ModelRef

from sightline_search_gateway.search.cluster_names import name_clusters
from sightline_search_gateway.search.shared_cache import SharedCache
from sightline_search_gateway.search.vocabulary import read_vocabulary, stored_embeddings

Namer = Callable[[NDArray[np.float32], Sequence[int], Sequence[str]], list[str]]
"""Takes k clusters' (k, d) unit centroids, their sizes, and the names to fall back to; returns k names."""


def vocabulary_namer(cache: SharedCache, model: Callable[[], ModelRef]) -> Namer:
    """Return a namer by the vocabulary's embeddings that a gateway has cached, as a search's clusters are named.

    Args:
        cache: Where the gateways keep the embeddings.
        model: The model of the vectors that are named.
    """

    def name(centroids: NDArray[np.float32], sizes: Sequence[int], fallback: Sequence[str]) -> list[str]:
        words = stored_embeddings(cache, read_vocabulary(), model())
        if words is None or len(words.texts) < len(centroids):
            return list(fallback)
        return name_clusters(centroids, sizes, words)

    return name
