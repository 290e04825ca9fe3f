"""Layouts of vectors, and how good they are: what the benchmarks of maps have in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline_encoder import models
from sightline_search_gateway.maps import layout
from sightline_search_gateway.maps.neighbours import nearest_neighbours
from sklearn.manifold import TSNE

from benchmarks.collection import Collection
from benchmarks.growth import NEAR, mixtures
from benchmarks.quality import embed, encoder_settings

Vectors = NDArray[np.float32]
Places = NDArray[np.float64]
ROWS = 2048


@dataclass(frozen=True)
class Layout:
    """What one library made of some vectors."""

    places: Places
    seconds: float
    kl_divergence: float


def real_vectors(pictures: Collection) -> tuple[list[str], Vectors]:
    """Return the keys of a collection's pictures that decode, and their (n, d) unit vectors by the default model."""
    settings = encoder_settings(None)
    return embed(models.load(settings.model_ids[0], settings), pictures, settings)


def grow(real: Vectors, count: int, seed: int = 1) -> Vectors:
    """Return (count, d) unit vectors that are spread as real ones are: these themselves, and mixtures of them."""
    random = np.random.default_rng(seed)
    if count <= len(real):
        return real[random.permutation(len(real))[:count]]
    grown = mixtures(real, nearest_neighbours(real, NEAR).indices, count - len(real), random)
    return np.asarray(np.concatenate([real, grown])[random.permutation(count)], dtype=np.float32)


def by_product(vectors: Vectors, perplexity: float, threads: int) -> tuple[Places, float]:
    """Return the (n, 2) places that a map of Sightline has, and the seconds it took, neighbours and all."""

    def nothing(iteration: int, kl_divergence: float | None, places: Any) -> None:
        """Progress is not looked at."""

    began = time.perf_counter()
    start = layout.first_places(vectors)
    neighbours = nearest_neighbours(vectors, int(3 * perplexity))
    laid = layout.lay_out(start, neighbours, perplexity, threads=threads, on_progress=nothing)
    return laid.places, time.perf_counter() - began


def by_sklearn(vectors: Vectors, perplexity: float, threads: int) -> tuple[Places, float]:
    """Return the (n, 2) places of scikit-learn's TSNE as it comes, and the seconds it took."""
    began = time.perf_counter()
    tsne = TSNE(perplexity=perplexity, metric="cosine", init="pca", n_jobs=threads, random_state=layout.SEED)
    places = tsne.fit_transform(vectors)
    return np.asarray(places, dtype=np.float64), time.perf_counter() - began


def judged(vectors: Vectors, perplexity: float, made: tuple[Places, float], against: Any) -> Layout:
    """Return a layout with its KL divergence from `probabilities` of its vectors."""
    places, seconds = made
    return Layout(places, seconds, kl_divergence(against, places))


def probabilities(vectors: Vectors, perplexity: float, threads: int) -> Any:
    """Return t-SNE's joint probabilities, an (n, n) sparse matrix, from neighbours that are exact."""
    from openTSNE import affinity  # type: ignore[import-untyped]

    neighbours = nearest_neighbours(vectors, int(3 * perplexity))
    return affinity.joint_probabilities_nn(
        neighbours.indices, neighbours.distances, [perplexity], symmetrize=True, n_jobs=threads
    )


def kl_divergence(joint: Any, places: Places) -> float:
    """Return the KL divergence of a layout, all pairs counted, none approximated.

    Args:
        joint: (n, n) sparse, which sums to one.
        places: (n, 2).
    """
    total = _all_pairs(places, lambda squares: 1.0 / (1.0 + squares)) - len(places)
    entries = joint.tocoo()
    kept = entries.data > 0
    squares = ((places[entries.row[kept]] - places[entries.col[kept]]) ** 2).sum(axis=1)
    p = np.asarray(entries.data[kept], dtype=np.float64)
    return float((p * (np.log(p) + np.log1p(squares) + np.log(total))).sum())


def _all_pairs(places: Places, kernel: Callable[[Any], Any]) -> float:
    total = 0.0
    norms = (places**2).sum(axis=1)
    for begin in range(0, len(places), ROWS):
        block = slice(begin, begin + ROWS)
        squares = norms[block, None] + norms[None, :] - 2 * places[block] @ places.T
        total += float(kernel(np.maximum(squares, 0.0)).sum())
    return total
