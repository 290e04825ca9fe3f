"""Qdrant's engine in this process, with the product's own parameters; and an exact search beside it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as engine
from numpy.typing import NDArray
from sightline_catalogue import CatalogueSettings, ModelRef
from sightline_catalogue.payload import FOUND_FIELDS
from sightline_catalogue.schema import create_request
from sightline_catalogue.vectors import VECTOR
from sightline_qdrant_edge.schema import engine_config

from benchmarks.harness.pictures import Vectors

BATCH = 1000


class Shard:
    """A shard of the engine, searched as the catalogue has it searched.

    Args:
        opened: The engine's own.
        build_seconds: How long its index took, without the writing of the vectors.
    """

    def __init__(self, opened: Any, build_seconds: float = 0.0) -> None:
        self.build_seconds = build_seconds
        self.opened = opened

    def request(self, query: Vectors, limit: int, *, payload: bool = True) -> Any:
        """Return the engine's own request for a search by a (d,) vector."""
        settings = CatalogueSettings()
        return engine.QueryRequest(
            limit=limit,
            query=engine.Query.Nearest(query.tolist(), using=VECTOR),
            params=engine.SearchParams(
                hnsw_ef=settings.hnsw_ef,
                quantization=engine.QuantizationSearchParams(rescore=True, oversampling=settings.oversampling),
            ),
            with_payload=engine.PayloadSelector.Include(list(FOUND_FIELDS)) if payload else False,
        )

    def ids(self, request: Any) -> list[Any]:
        """Return the ids that a request finds, the nearest first, once payloads are Python objects too."""
        return [(point.id, point.payload)[0] for point in self.opened.query(request)]

    def search(self, query: Vectors, count: int) -> NDArray[np.intp]:
        """Return the places of the nearest in what the shard was built of, the nearest first."""
        return np.array(self.ids(self.request(query, count, payload=False)), dtype=np.intp)


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
    for start in range(0, len(vectors), BATCH):
        part = enumerate(vectors[start : start + BATCH].tolist(), start)
        points = [engine.Point(place, {VECTOR: vector}, {}) for place, vector in part]
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
