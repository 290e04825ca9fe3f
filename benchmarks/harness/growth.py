"""Many vectors grown from few real ones, block by block, so that a million need not fit into memory twice."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]
from sightline_search_gateway.maps import nearest_neighbours

Vectors = NDArray[np.float32]

NEAR, NOISE = 8, 0.35
"""Of `mixtures`: between how many of its nearest a vector is grown, and noise in all directions, of their distance."""
AROUND, SPREAD = 64, 1.5
"""Of `Growth`: the nearest whose spread says how a vector's surroundings are spread, and how many times as far grown
ones are spread. Many more pictures are more various than the few that there are."""
BLOCK = 20_000
"""Vectors grown at a time."""
ROTATION_SEED, GROWTH_SEED = 7, 1


def turned(real: Vectors, dimensions: int) -> Vectors:
    """Return (n, dimensions) unit vectors with the same cosines: turned into a space of more dimensions."""
    if dimensions < real.shape[1]:
        raise ValueError(f"vectors of {real.shape[1]} dimensions do not fit into {dimensions}")
    return np.asarray(real @ _basis(dimensions, real.shape[1]), dtype=np.float32)


@lru_cache
def _basis(dimensions: int, of: int) -> Vectors:
    """Return (of, dimensions) float32 rows of length one, at right angles to each other."""
    random = np.random.default_rng(ROTATION_SEED)
    basis, _ = np.linalg.qr(random.standard_normal((dimensions, of)))
    return np.ascontiguousarray(basis.T, dtype=np.float32)


def mixtures(real: Vectors, count: int, seed: int = 1) -> Vectors:
    """Return (count, d) unit vectors that are spread as real ones are: these themselves, and mixtures of them.

    A mixture is a random convex one of a real vector and two of its nearest, with noise in proportion to how far these
    are, on the sphere: neighbourhoods stay neighbourhoods, and hardly a direction is added to those in which real
    vectors differ.
    """
    random = np.random.default_rng(seed)
    if count <= len(real):
        return np.asarray(real[random.permutation(len(real))[:count]], dtype=np.float32)
    near = nearest_neighbours(real, NEAR).indices
    mixed = _mixed(real, near, count - len(real), random)
    return np.asarray(np.concatenate([real, mixed])[random.permutation(count)], dtype=np.float32)


def _mixed(real: Vectors, near: NDArray[np.integer], count: int, random: np.random.Generator) -> Vectors:
    base = random.integers(len(real), size=count)
    picked = near[base[:, None], random.integers(near.shape[1], size=(count, 2))]
    weights = random.dirichlet((1.0, 1.0, 1.0), size=count).astype(np.float32)
    grown = weights[:, :1] * real[base] + weights[:, 1:2] * real[picked[:, 0]] + weights[:, 2:] * real[picked[:, 1]]
    width = np.linalg.norm(real[base] - real[picked[:, 0]], axis=1, keepdims=True)
    noise = random.standard_normal(grown.shape).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    grown += NOISE * width * noise
    grown /= np.linalg.norm(grown, axis=1, keepdims=True)
    return np.asarray(grown, dtype=np.float32)


class Growth:
    """An endless supply of unit vectors that are spread as real ones are, in blocks.

    Each is a real one, moved along the differences to its 64 nearest, each by a normally distributed share of it, on
    the sphere: a smoothed bootstrap whose kernel has the covariance of the surroundings. Neighbourhoods stay
    neighbourhoods, and no direction is added in which real vectors do not differ: noise in all directions would give
    vectors of many more dimensions than real ones fill.

    Args:
        real: (n, d) unit vectors, at least two.
        seed: Equal seeds give equal vectors.
        spread: 1 for surroundings as wide as the real ones.
    """

    def __init__(self, real: Vectors, seed: int = GROWTH_SEED, spread: float = SPREAD) -> None:
        self._real = real
        self._spread = spread
        self._near = nearest_neighbours(real, min(AROUND, len(real) - 1)).indices
        self._seed = seed

    def block(self, number: int, count: int = BLOCK) -> Vectors:
        """Return block `number`, (count, d) float32; the same each time."""
        random = np.random.default_rng([self._seed, number])
        base = random.integers(len(self._real), size=count)
        width = self._near.shape[1]
        shares = (random.standard_normal((count, width)) * self._spread / np.sqrt(width)).astype(np.float32)
        # Each is a weighted sum of itself and its nearest: a row of a matrix that is nearly empty.
        weights = np.concatenate([1 - shares.sum(axis=1, keepdims=True), shares], axis=1)
        of = np.concatenate([base[:, None], self._near[base]], axis=1)
        starts = np.arange(count + 1) * (width + 1)
        grown = sparse.csr_array((weights.ravel(), of.ravel(), starts), shape=(count, len(self._real))) @ self._real
        return np.asarray(grown / np.linalg.norm(grown, axis=1, keepdims=True), dtype=np.float32)

    def all(self, count: int) -> Vectors:
        """Return (count, d) float32, in as much memory as they take."""
        vectors = np.empty((count, self._real.shape[1]), np.float32)
        for number, block in enumerate(self.blocks(count)):
            vectors[number * BLOCK : number * BLOCK + len(block)] = block
        return vectors

    def blocks(self, end: int, first: int = 0) -> Iterator[Vectors]:
        """Yield (at most BLOCK, d) float32 blocks, all vectors from number `first`, where a block begins, to `end`."""
        for start in range(first, end, BLOCK):
            yield self.block(start // BLOCK)[: min(BLOCK, end - start)]
