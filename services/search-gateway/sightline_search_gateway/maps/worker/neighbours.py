"""The nearest of each picture among the others, by cosine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROWS = 256
"""Compared with all at once: of 50,000, 150 MB."""


@dataclass(frozen=True)
class Neighbours:
    """The k nearest of each of n, the nearest first, itself left out.

    Attributes:
        indices: (n, k) int64.
        distances: (n, k) float64, cosine distances.
    """

    indices: NDArray[np.int64]
    distances: NDArray[np.float64]


def nearest_neighbours(vectors: NDArray[np.float32], count: int) -> Neighbours:
    """Return the nearest of each of (n, d) unit vectors; exact.

    An index is hardly faster at the sizes of maps, and what it misses shows in the map's KL divergence.

    Args:
        vectors: Of length one.
        count: How many of each; fewer where there are fewer.
    """
    count = min(count, len(vectors) - 1)
    indices = np.empty((len(vectors), count), np.int64)
    distances = np.empty((len(vectors), count), np.float64)
    for begin in range(0, len(vectors), ROWS):
        rows = np.arange(begin, min(begin + ROWS, len(vectors)))
        indices[rows], similarities = _nearest(rows, vectors, count)
        distances[rows] = 1.0 - similarities
    return Neighbours(indices, np.maximum(distances, 0.0))


def nearest_of(rows: NDArray[np.intp], vectors: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Return the indices of the nearest of m of (n, d) unit vectors, (m, count), the nearest first; exact."""
    count = min(count, len(vectors) - 1)
    found = np.empty((len(rows), count), np.int64)
    for begin in range(0, len(rows), ROWS):
        found[begin : begin + ROWS], _ = _nearest(rows[begin : begin + ROWS], vectors, count)
    return found


def _nearest(
    rows: NDArray[np.intp], vectors: NDArray[np.float32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return indices and similarities of the nearest of some, themselves left out."""
    similarities = vectors[rows] @ vectors.T
    similarities[np.arange(len(rows)), rows] = -np.inf
    chosen = np.argpartition(similarities, -count, axis=1)[:, -count:]
    found = np.take_along_axis(similarities, chosen, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1), np.take_along_axis(found, order, axis=1)
