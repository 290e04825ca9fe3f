"""What answers a query, each in its own way: Qdrant's engine in this process, and what people use beside it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import qdrant_edge as engine
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models
from qdrant_client import grpc as api
from sightline_catalogue import CatalogueSettings, Collection, SearchParams
from sightline_catalogue.query_builder import QueryBuilder
from sightline_catalogue.schema import create_request, index_request
from sightline_catalogue.vectors import VECTOR, vector_message
from sightline_qdrant_edge.queries import query_request
from sightline_qdrant_edge.schema import engine_config, field_index

from benchmarks.growth import Growth, Vectors
from benchmarks.scale import BUCKET, image, model_ref, number_of

DEPTH = 50
FAISS_EF = (32, 48, 64, 96, 128, 192, 256, 384, 512, 768)
Ask = Callable[[NDArray[np.float32]], Sequence[int]]
"""Takes a (d,) unit vector; returns the numbers of the nearest images."""


@dataclass
class Queries:
    """Vectors to search for: those that go before, those that count, and those of texts."""

    before: Vectors
    counted: Vectors
    texts: Vectors


def percentiles(milliseconds: NDArray[np.float64]) -> list[float]:
    """Return p50 and p99; no numbers where there are none."""
    return [float(x) for x in np.percentile(milliseconds, (50, 99))] if len(milliseconds) else [float("nan")] * 2


def timed(ask: Ask, queries: Vectors) -> tuple[NDArray[np.float64], list[Sequence[int]]]:
    """Return the (n,) milliseconds of each query, one after the other, and what each found."""
    milliseconds, found = [], []
    for query in queries:
        began = time.perf_counter()
        numbers = ask(query)
        milliseconds.append((time.perf_counter() - began) * 1000)
        found.append(numbers)
    return np.array(milliseconds), found


def by_catalogue(collection: Collection, **options: Any) -> Callable[[NDArray[np.float32]], Any]:
    """Return the catalogue's call as the gateway makes it: over gRPC, with payload and vectors."""
    return lambda query: collection.nearest(query, SearchParams(limit=DEPTH, with_vectors=True, **options))


def numbers_of(found: Any) -> list[int]:
    """Return the numbers of the images that the catalogue found."""
    return [number_of(one) for one in found.images]


@contextmanager
def shard(folder: Path) -> Iterator[engine.EdgeShard]:
    """Open the engine's shard in this process; nothing else may have it open."""
    opened = engine.EdgeShard.load(str(folder))
    try:
        yield opened
    finally:
        opened.close()


def engine_requests(queries: Vectors, settings: CatalogueSettings, *, quantized: bool = True) -> list[Any]:
    """Return the engine's own requests for the searches that the catalogue would make, ids and payload."""
    builder = QueryBuilder("grown", model_ref(), BUCKET, settings)
    requests = []
    for query in queries:
        message = builder.build(api.VectorInput(dense=vector_message(query)), SearchParams(DEPTH), narrowed=False)
        message.params.quantization.ignore = not quantized
        requests.append(query_request(message, None))
    return requests


def timed_engine(opened: engine.EdgeShard, requests: list[Any]) -> tuple[NDArray[np.float64], list[list[Any]]]:
    """Return the (n,) milliseconds of the engine's answers, ids and payload as Python objects, and the ids found."""
    milliseconds, found = [], []
    for request in requests:
        began = time.perf_counter()
        ids = [(point.id, point.payload)[0] for point in opened.query(request)]
        milliseconds.append((time.perf_counter() - began) * 1000)
        found.append(ids)
    return np.array(milliseconds), found


@contextmanager
def small_shard(points: int, growth: Growth, m: int) -> Iterator[tuple[engine.EdgeShard, dict[Any, int]]]:
    """Build a shard in this process with another m than the catalogue's; gives it and the number of each id."""
    request = create_request(model_ref(), CatalogueSettings())
    request.hnsw_config.m = m
    numbers: dict[Any, int] = {}
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as folder:
        opened = engine.EdgeShard.create(folder, engine_config(request))
        field = index_request("grown", "searchable", CatalogueSettings())
        opened.update(engine.UpdateOperation.create_field_index("searchable", field_index(field)))
        for block in growth.blocks(points):
            new = []
            for vector in block:
                one = UUID(image(len(numbers)).id)
                numbers[one] = len(numbers)
                new.append(engine.Point(one, {VECTOR: vector.tolist()}, {"searchable": BUCKET}))
            opened.update(engine.UpdateOperation.upsert_points(new))
        opened.optimize()
        yield opened, numbers
        opened.close()


def by_numpy(vectors: Vectors) -> Ask:
    """Return an exact search: one product of matrix and vector, and a partial sort."""

    def ask(query: NDArray[np.float32]) -> list[int]:
        scores = vectors @ query
        best = np.argpartition(-scores, DEPTH)[:DEPTH]
        return [int(number) for number in best[np.argsort(-scores[best])]]

    return ask


def by_faiss_flat(vectors: Vectors) -> Ask:
    """Return FAISS's exact search."""
    import faiss  # type: ignore[import-not-found,import-untyped,unused-ignore]

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return lambda query: [int(number) for number in index.search(query[None], DEPTH)[1][0]]


def by_faiss_hnsw(vectors: Vectors, m: int, ef_construct: int) -> tuple[Callable[[int], Ask], float]:
    """Return FAISS's HNSW over full vectors, for any ef; and the seconds that it took to build."""
    import faiss

    index = faiss.IndexHNSWFlat(vectors.shape[1], m, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = ef_construct
    began = time.perf_counter()
    index.add(vectors)
    seconds = time.perf_counter() - began

    def with_ef(ef: int) -> Ask:
        def ask(query: NDArray[np.float32]) -> list[int]:
            index.hnsw.efSearch = ef
            return [int(number) for number in index.search(query[None], DEPTH)[1][0]]

        return ask

    return with_ef, seconds


@contextmanager
def by_local_client(vectors: Vectors) -> Iterator[Ask]:
    """Give a search by qdrant-client's local mode: exact, in Python, with payload and vectors."""
    client = QdrantClient(":memory:")
    client.create_collection("grown", models.VectorParams(size=vectors.shape[1], distance=models.Distance.COSINE))
    for start in range(0, len(vectors), 500):
        client.upsert(
            "grown",
            [
                models.PointStruct(id=number, vector=vectors[number].tolist(), payload={"key": image(number).key})
                for number in range(start, min(start + 500, len(vectors)))
            ],
        )

    def ask(query: NDArray[np.float32]) -> list[int]:
        found = client.query_points("grown", query=query, limit=DEPTH, with_payload=True, with_vectors=True)
        return [int(point.id) for point in found.points]

    yield ask
    client.close()
