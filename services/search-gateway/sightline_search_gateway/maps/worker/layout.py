"""t-SNE, by openTSNE: unit vectors to places on a map.

Poličar, Stražar, Zupan: "openTSNE: A Modular Python Library for t-SNE Dimensionality Reduction and Embedding", Journal
of Statistical Software 109 (2024). Imported by the worker alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openTSNE import TSNEEmbedding, affinity, initialization  # type: ignore[import-untyped]
from openTSNE.nearest_neighbors import PrecomputedNeighbors  # type: ignore[import-untyped]
from openTSNE.tsne import PartialTSNEEmbedding  # type: ignore[import-untyped]

from sightline_search_gateway.maps.worker.neighbours import Neighbours

Vectors = NDArray[np.float32]
Coordinates = NDArray[np.float64]

SEED = 20
EARLY_ITERATIONS, EARLY_EXAGGERATION = 250, 12.0
ITERATIONS = 750
"""Early ones included."""
EARLY_MOMENTUM, MOMENTUM = 0.5, 0.95
"""The late one is higher than the usual 0.8: a map spreads in fewer iterations."""
EXACT_POINTS = 30_000
"""Below, what pushes points apart is summed up by Barnes-Hut trees, from there on interpolated on a grid (FFT), whose
time goes by the map's size and hardly by the number of points."""
COARSE_INTERVAL, FINE_INTERVAL = 2.0, 1.0
"""The grid's cells, in units of the map. A coarse grid takes a third of the time, but blurs what is nearer than a cell:
the last iterations put that right."""
FINE_ITERATIONS = 50
CALLBACK_ITERATIONS = 10
TRANSFORM_ITERATIONS, TRANSFORM_RATE = 120, 0.1
"""After so many, new points moved by a ten-thousandth of the map on average, of 100 among 5,000."""
TRANSFORM_NEIGHBOURS = 25
"""The median of so many neighbours' coordinates is where a new picture starts."""

OnProgress = Callable[[int, float | None, Coordinates], None]
"""Takes iteration, KL divergence and the present coordinates, which go on changing; what it raises ends the fit."""


@dataclass(frozen=True)
class FittedLayout:
    """A finished layout: (n, 2) float64 coordinates, and their KL divergence."""

    coordinates: Coordinates
    kl_divergence: float


def initial_coordinates(vectors: Vectors) -> Coordinates:
    """Return where t-SNE begins: (n, 2) float64, the two main components, as small as t-SNE wants them."""
    return np.asarray(initialization.pca(vectors, random_state=SEED), dtype=np.float64)


def fit(
    start: Coordinates, neighbours: Neighbours, perplexity: float, *, threads: int, on_progress: OnProgress
) -> FittedLayout:
    """Compute a layout.

    Args:
        start: (n, 2), from `initial_coordinates`.
        neighbours: The nearest of each, at least 3 times the perplexity.
        perplexity: How many of them count, roughly.
        threads: To use.
        on_progress: Called with the first coordinates, and with every tenth iteration's.
    """
    count = min(neighbours.indices.shape[1], int(3 * perplexity))
    known = PrecomputedNeighbors(neighbours.indices[:, :count], neighbours.distances[:, :count])
    affinities = affinity.PerplexityBasedNN(knn_index=known, perplexity=perplexity, n_jobs=threads)
    done = 0

    def report(iteration: int, error: float, embedding: Any) -> bool:
        on_progress(done + iteration, float(error), embedding)
        return False

    embedding = TSNEEmbedding(
        start,
        affinities,
        random_state=SEED,
        n_jobs=threads,
        callbacks=[report],
        callbacks_every_iters=CALLBACK_ITERATIONS,
    )
    embedding.optimize(
        EARLY_ITERATIONS,
        exaggeration=EARLY_EXAGGERATION,
        momentum=EARLY_MOMENTUM,
        inplace=True,
        propagate_exception=True,
    )
    done = EARLY_ITERATIONS
    for iterations, interval in (
        (ITERATIONS - EARLY_ITERATIONS - FINE_ITERATIONS, COARSE_INTERVAL),
        (FINE_ITERATIONS, FINE_INTERVAL),
    ):
        embedding.optimize(
            iterations,
            exaggeration=1.0,
            momentum=MOMENTUM,
            negative_gradient_method="bh" if len(start) < EXACT_POINTS else "fft",
            ints_in_interval=interval,
            inplace=True,
            propagate_exception=True,
        )
        done += iterations
    return FittedLayout(np.array(embedding, dtype=np.float64), float(embedding.kl_divergence))


def transform(new: Vectors, old: Vectors, coordinates: NDArray[Any], perplexity: float, *, threads: int) -> Coordinates:
    """Place new pictures into a map whose points stay where they are.

    Args:
        new: (m, d) unit vectors.
        old: (n, d) unit vectors of the map's pictures.
        coordinates: (n, 2), centred, theirs.
        perplexity: As the map's, or less where it is small.
        threads: To use.

    Returns:
        (m, 2) float64.
    """
    count = max(1, min(len(old), int(3 * perplexity)))
    similarities = new @ old.T
    indices = np.argpartition(-similarities, count - 1, axis=1)[:, :count]
    found = np.take_along_axis(similarities, indices, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    indices = np.take_along_axis(indices, order, axis=1)
    distances = np.maximum(1.0 - np.take_along_axis(found, order, axis=1), 0.0)
    start = np.median(coordinates[indices[:, :TRANSFORM_NEIGHBOURS]], axis=1).astype(np.float64)
    probabilities = affinity.joint_probabilities_nn(
        indices,
        distances,
        [max(1.0, min(perplexity, count / 3))],
        symmetrize=False,
        normalization="point-wise",
        n_reference_samples=len(old),
        n_jobs=threads,
    )
    # Of the old points' affinities nothing is needed but their number: these points do not move.
    reference = TSNEEmbedding(coordinates, SimpleNamespace(P=np.empty((len(coordinates), 0))))
    partial = PartialTSNEEmbedding(
        start,
        reference,
        probabilities,
        n_jobs=threads,
        negative_gradient_method="bh",
        learning_rate=TRANSFORM_RATE,
        momentum=0.8,
        max_grad_norm=0.25,
        max_step_norm=None,
    )
    partial = partial.optimize(TRANSFORM_ITERATIONS, exaggeration=1.5)
    return np.array(partial, dtype=np.float64)
