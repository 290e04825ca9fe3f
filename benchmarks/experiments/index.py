"""An HNSW index of the engine that the product runs on, in this process, with the product's own parameters."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import qdrant_edge as engine
from numpy.typing import NDArray
from sightline_catalogue import CatalogueSettings, ModelRef
from sightline_catalogue.schema import create_request
from sightline_catalogue.vectors import VECTOR
from sightline_qdrant_edge.schema import engine_config
from sightline_qdrant_edge.shard import create_shard, load_shard, update_shard

BATCH = 1000


class Index:
    """A shard with an index over all that it holds; leave its block to remove it.

    Attributes:
        build_seconds: How long the index took, without the writing of the vectors.
    """

    def __init__(self, shard: Any, folder: Path, build_seconds: float) -> None:
        self.build_seconds = build_seconds
        self._shard = shard
        self._folder = folder
        settings = CatalogueSettings()
        self._params = engine.SearchParams(
            hnsw_ef=settings.hnsw_ef,
            quantization=engine.QuantizationSearchParams(rescore=True, oversampling=settings.oversampling),
        )

    @classmethod
    def build(cls, vectors: NDArray[np.float32], folder: Path) -> Index:
        """Write (n, d) vectors into a new folder and index them; a vector's id is its place."""
        folder.mkdir(parents=True)
        model = ModelRef(id="report", fingerprint="0", dimensions=vectors.shape[1])
        create_shard(folder, engine_config(create_request(model, CatalogueSettings())))
        shard = load_shard(folder)
        for start in range(0, len(vectors), BATCH):
            points = [
                engine.Point(start + place, {VECTOR: vector}, {})
                for place, vector in enumerate(vectors[start : start + BATCH].tolist())
            ]
            update_shard(shard, [engine.UpdateOperation.upsert_points(points)])
        began = time.perf_counter()
        shard.optimize()
        return cls(shard, folder, time.perf_counter() - began)

    def search(self, question: NDArray[np.float32], count: int) -> NDArray[np.intp]:
        """Return the places of the nearest, the nearest first."""
        request = engine.QueryRequest(
            limit=count, query=engine.Query.Nearest(question.tolist(), using=VECTOR), params=self._params
        )
        return np.array([point.id for point in self._shard.query(request)], dtype=np.intp)

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shard.close()
        shutil.rmtree(self._folder)
