"""Many vectors grown from few real ones, and what searches them in this process: Qdrant's engine, or an exact product.

They are grown block by block, so that a million need not fit into memory twice.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as engine
from numpy.typing import NDArray
from scipy import sparse
from sightline_catalogue import CatalogueSettings, ModelRef
from sightline_catalogue.payload import FOUND_FIELDS
from sightline_catalogue.query_builder import IMAGE_EF, TEXT_EF
from sightline_catalogue.schema import create_request
from sightline_catalogue.vectors import VECTOR
from sightline_qdrant_edge.schema import engine_config
from sightline_search_gateway.exports import nearest_neighbours

from benchmarks.harness.pictures import Vectors, chunks

AROUND, SPREAD = 64, 1.5
"""The nearest whose spread says how a vector's surroundings are spread, and how many times as far grown
ones are spread. Many more pictures are more various than the few that there are."""
BLOCK = 20_000
"""Vectors grown at a time."""
ROTATION_SEED, GROWTH_SEED = 7, 1
SAME = 1e-5
"""Cosines that differ by less are equal, but for rounding."""


def rotated(real: Vectors, dimensions: int) -> Vectors:
    """Return (n, dimensions) unit vectors with the same cosines: rotated into a space of more dimensions."""
    if dimensions < real.shape[1]:
        raise ValueError(f"vectors of {real.shape[1]} dimensions do not fit into {dimensions}")
    return np.asarray(real @ _basis(dimensions, real.shape[1]), dtype=np.float32)


@lru_cache
def _basis(dimensions: int, of: int) -> Vectors:
    """Return (of, dimensions) float32 rows of length one, at right angles to each other."""
    random = np.random.default_rng(ROTATION_SEED)
    basis, _ = np.linalg.qr(random.standard_normal((dimensions, of)))
    return np.ascontiguousarray(basis.T, dtype=np.float32)


class Growth:
    """An endless supply of unit vectors that are spread as real ones are, in blocks.

    Each is a real one, moved along the differences to its 64 nearest, each by a normally distributed share of it, on
    the sphere: no direction is added in which real vectors do not differ. Equal seeds give equal vectors.
    """

    def __init__(self, real: Vectors, seed: int = GROWTH_SEED) -> None:
        self._real = real
        self._near = nearest_neighbours(real, min(AROUND, len(real) - 1)).indices
        self._seed = seed

    def block(self, number: int, count: int = BLOCK) -> Vectors:
        """Return block `number`, (count, d) float32; the same each time."""
        random = np.random.default_rng([self._seed, number])
        base = random.integers(len(self._real), size=count)
        width = self._near.shape[1]
        shares = (random.standard_normal((count, width)) * SPREAD / np.sqrt(width)).astype(np.float32)
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
        """Yield blocks of all vectors from number `first`, where a block begins, to `end`."""
        for start in range(first, end, BLOCK):
            yield self.block(start // BLOCK)[: min(BLOCK, end - start)]


class Shard:
    """A shard of the engine, searched as the catalogue has it searched."""

    def __init__(self, opened: Any, build_seconds: float = 0.0) -> None:
        self.build_seconds = build_seconds
        self.opened = opened

    def request(self, query: Vectors, limit: int, *, payload: bool = True, by_text: bool = False) -> Any:
        """Return the engine's own request for a search by a (d,) vector, of a text or an image."""
        settings = CatalogueSettings()
        ef = TEXT_EF if by_text else IMAGE_EF
        return engine.QueryRequest(
            limit=limit,
            query=engine.Query.Nearest(query.tolist(), using=VECTOR),
            params=engine.SearchParams(
                hnsw_ef=settings.hnsw_ef or ef,
                quantization=engine.QuantizationSearchParams(rescore=True, oversampling=settings.oversampling),
            ),
            with_payload=engine.PayloadSelector.Include(list(FOUND_FIELDS)) if payload else False,
        )

    def ids(self, request: Any) -> list[Any]:
        """Return the ids that a request finds, the nearest first, once payloads are Python objects too."""
        return [(point.id, point.payload)[0] for point in self.opened.query(request)]

    def search(self, query: Vectors, count: int, *, by_text: bool = False) -> NDArray[np.intp]:
        """Return the places of the nearest in what the shard was built of, the nearest first."""
        return np.array(self.ids(self.request(query, count, payload=False, by_text=by_text)), dtype=np.intp)


@contextmanager
def loaded(folder: Path) -> Iterator[Shard]:
    """Open a shard; nothing else may have it open."""
    opened = engine.EdgeShard.load(str(folder))
    try:
        yield Shard(opened)
    finally:
        opened.close()


@contextmanager
def built(vectors: Vectors) -> Iterator[Shard]:
    """Build a shard of (n, d) vectors, index all of it, and remove it when the block ends; ids are places."""
    folder = tempfile.mkdtemp(prefix="sightline-bench-")
    request = create_request(ModelRef(id="built", fingerprint="0", dimensions=vectors.shape[1]), CatalogueSettings())
    opened = engine.EdgeShard.create(folder, engine_config(request))
    places = iter(range(len(vectors)))
    for part in chunks(vectors, 1000):
        points = [engine.Point(next(places), {VECTOR: vector}, {}) for vector in part.tolist()]
        opened.update(engine.UpdateOperation.upsert_points(points))
    began = time.perf_counter()
    opened.optimize()
    try:
        yield Shard(opened, time.perf_counter() - began)
    finally:
        opened.close()
        shutil.rmtree(folder)


def exact(vectors: Vectors, query: Vectors, count: int) -> NDArray[np.intp]:
    """Return the places of the nearest of (n, d) vectors, the nearest first: one product, then a partial sort."""
    similarities = vectors @ query
    count = min(count, len(vectors))
    places = np.argpartition(similarities, -count)[-count:]
    return places[np.argsort(-similarities[places], kind="stable")]


def recall(vectors: Vectors, question: Vectors, found: NDArray[np.intp], expected: NDArray[np.intp]) -> float:
    """Return the share of an answer that is as near as an exact one's last: of equal vectors any will do."""
    least = float(vectors[expected[-1]] @ question) - SAME
    return float((vectors[found] @ question >= least).sum() / len(expected))
