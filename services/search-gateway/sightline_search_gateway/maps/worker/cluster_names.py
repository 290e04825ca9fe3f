"""Names of a map's clusters: the words nearest to what the points of one share and the others do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import ModelRef

from sightline_search_gateway.search.shared_cache import SharedCache
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings, read_vocabulary, stored_embeddings
from sightline_search_gateway.vectors import unit

SHARED = 0.2
"""How much of what all clusters share is subtracted. Measured: more tells them apart better and fits them worse."""
TAKEN = -np.inf
Namer = Callable[[NDArray[np.float32], Sequence[int], Sequence[str]], list[str]]
"""Takes k clusters' (k, d) unit centroids, their sizes, and the names to fall back to; returns k names."""


def vocabulary_namer(cache: SharedCache, model: Callable[[], ModelRef]) -> Namer:
    """Return a namer by the vocabulary's embeddings that a gateway has cached, each cluster by a word of its own.

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


def name_clusters(centroids: NDArray[np.float32], sizes: Sequence[int], words: VocabularyEmbeddings) -> list[str]:
    """Return a name for each cluster, no two alike.

    The cluster that a word fits better gets it; what all clusters share counts less.

    Args:
        centroids: (k, dimensions), means of unit vectors.
        sizes: How many points each cluster has.
        words: More than there are clusters.
    """
    if not len(centroids):
        return []
    shared = unit(np.asarray(sizes, dtype=np.float32) @ centroids)
    scores = words.scores(unit(centroids) - SHARED * shared)
    names: list[str] = [""] * len(centroids)
    for _ in names:
        group, word = divmod(int(np.argmax(scores)), len(words.texts))
        names[group] = words.texts[word]
        scores[group, :] = TAKEN
        scores[:, word] = TAKEN
    return names


def commonest_label(labels: Iterable[str | None]) -> str | None:
    """Return the commonest of some labels, in words, the first by name of several; None where there is none."""
    counts = Counter(label for label in labels if label)
    return max(sorted(counts), key=counts.__getitem__).replace("_", " ") if counts else None
