"""How long searches and writes wait while an index is built: `python benchmarks/indexing.py [--points N] [--size D]`.

Starts a server over a temporary folder, fills it past the threshold, then searches and writes without pause from two
connections until the index is swapped in, and prints how long single calls took, before, during and after.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import grpc
import numpy as np
from qdrant_client import grpc as api

PAYLOAD = {
    "bucket": "main",
    "key": "animals/a cat on a chair.jpg",
    "state": "indexed",
    "sha256": "f" * 64,
    "format": "JPEG",
    "label": "animals",
    "modified_at": "2026-11-24T08:00:00Z",
    "indexed_at": "2026-11-24T08:00:00Z",
    "etag": "1a2b3c-4d5e6f",
}
NAME = "images"
BATCH = 256


def vectors(first: int, last: int, size: int) -> np.ndarray:
    """Return unit vectors around a thousand centres, float32 (n, size); the same for the same numbers."""
    centres = np.random.default_rng(0).normal(size=(1000, size)).astype(np.float32)
    random = np.random.default_rng(first + 1)
    numbers = np.arange(first, last)
    found = centres[numbers % 1000] + random.normal(size=(last - first, size)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def upsert(first: int, last: int, size: int) -> api.UpsertPoints:
    """Return a request for the points first to last."""
    request = api.UpsertPoints(collection_name=NAME, wait=True)
    for number, vector in zip(range(first, last), vectors(first, last, size), strict=True):
        point = request.points.add()
        point.id.uuid = str(UUID(int=number))
        for key, text in PAYLOAD.items():
            point.payload[key].string_value = text
        point.payload["bytes"].integer_value = 100_000 + number
        point.vectors.vectors.vectors["image"].dense.data.extend(vector.tolist())
    return request


def query(vector: np.ndarray) -> api.QueryPoints:
    """Return a request as a search for fifty pictures makes it."""
    request = api.QueryPoints(collection_name=NAME, using="image", limit=50)
    request.query.nearest.dense.data.extend(vector.tolist())
    request.params.hnsw_ef = 256
    request.params.quantization.rescore = True
    request.params.quantization.oversampling = 2.0
    request.with_payload.enable = True
    request.with_vectors.enable = True
    return request


class Load(threading.Thread):
    """Calls without pause, and how long each took."""

    def __init__(self, port: int, call: Callable[[api.PointsStub, int], None], pause_seconds: float) -> None:
        super().__init__(daemon=True)
        self.seconds: list[float] = []
        self.stopping = threading.Event()
        self._channel = channel(port)
        self._call = call
        self._pause_seconds = pause_seconds

    def run(self) -> None:
        """Call until stopped."""
        stub = api.PointsStub(self._channel)  # type: ignore[no-untyped-call]
        number = 0
        while not self.stopping.wait(self._pause_seconds):
            started = time.perf_counter()
            self._call(stub, number)
            self.seconds.append(time.perf_counter() - started)
            number += 1


def channel(port: int) -> grpc.Channel:
    """Return a connection to the server."""
    return grpc.insecure_channel(
        f"127.0.0.1:{port}",
        options=[("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)],
    )


def shown(seconds: list[float]) -> str:
    """Return a line of figures."""
    if not seconds:
        return "no calls"
    ms = np.array(seconds) * 1000
    return (
        f"{len(ms):6,} calls   p50 {np.median(ms):7.2f} ms   p99 {np.percentile(ms, 99):7.2f} ms"
        f"   longest {ms.max():7.1f} ms"
    )


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--points", type=int, default=60_000)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--threshold", type=int, default=50_000)
    parser.add_argument("--pause-ms", type=float, default=5.0, help="between calls of one connection")
    options = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="qdrant-edge-") as folder:
        environment = {
            **os.environ,
            "EDGE_DATA_DIR": str(Path(folder) / "data"),
            "EDGE_PORT": str(port),
            "EDGE_INDEX_THRESHOLD": str(options.threshold),
            "LOG_FORMAT": "console",
        }
        server = subprocess.Popen([sys.executable, "-m", "sightline_qdrant_edge"], env=environment)
        try:
            measure(port, options)
        finally:
            server.terminate()
            server.wait()


def measure(port: int, options: argparse.Namespace) -> None:
    """Fill, watch the build, and print."""
    connection = channel(port)
    grpc.channel_ready_future(connection).result(timeout=60)
    points = api.PointsStub(connection)  # type: ignore[no-untyped-call]
    collections = api.CollectionsStub(connection)  # type: ignore[no-untyped-call]
    create = api.CreateCollection(collection_name=NAME)
    create.vectors_config.params_map.map["image"].CopyFrom(
        api.VectorParams(size=options.size, distance=api.Distance.Cosine, on_disk=True)
    )
    create.hnsw_config.m, create.hnsw_config.ef_construct = 16, 128
    create.quantization_config.scalar.CopyFrom(api.ScalarQuantization(type=api.QuantizationType.Int8, always_ram=True))
    collections.Create(create)
    for field in ("state", "label", "format"):
        points.CreateFieldIndex(
            api.CreateFieldIndexCollection(
                collection_name=NAME, wait=True, field_name=field, field_type=api.FieldType.FieldTypeKeyword
            )
        )
    status = api.GetCollectionInfoRequest(collection_name=NAME)

    started = time.perf_counter()
    below = min(options.threshold, options.points) - BATCH
    for first in range(0, below, BATCH):
        points.Upsert(upsert(first, min(first + BATCH, below), options.size))
    print(f"filled {below:,} points in {time.perf_counter() - started:.1f} s")
    queries = vectors(0, 1000, options.size)
    seconds = []
    for vector in queries[:100]:
        asked = time.perf_counter()
        points.Query(query(vector))
        seconds.append(time.perf_counter() - asked)
    print(f"search, no index        {shown(seconds)}")

    def search(stub: api.PointsStub, number: int) -> None:
        stub.Query(query(queries[number % 1000]))

    added = options.points + 10

    def write(stub: api.PointsStub, number: int) -> None:
        stub.Upsert(upsert(added + 10 * number, added + 10 * number + 10, options.size))

    pause_seconds = options.pause_ms / 1000
    loads = [Load(port, search, pause_seconds), Load(port, write, pause_seconds)]
    for load in loads:
        load.start()
    for first in range(below, options.points, BATCH):
        points.Upsert(upsert(first, min(first + BATCH, options.points), options.size))
    started = time.perf_counter()
    while True:
        found = collections.Get(status).result
        if found.status == api.CollectionStatus.Green and found.indexed_vectors_count:
            break
        time.sleep(0.1)
    print(f"index of {found.indexed_vectors_count:,} points swapped in after {time.perf_counter() - started:.1f} s")
    for load in loads:
        load.stopping.set()
        load.join()
    print(f"search during the build {shown(loads[0].seconds)}")
    print(f"write of 10, meanwhile  {shown(loads[1].seconds)}")

    expected = options.points + 10 * len(loads[1].seconds)
    counted = points.Count(api.CountPoints(collection_name=NAME, exact=True)).result.count
    print(f"points: {counted:,} of {expected:,} written")
    seconds = []
    for vector in queries:
        asked = time.perf_counter()
        points.Query(query(vector))
        seconds.append(time.perf_counter() - asked)
    print(f"search, with the index  {shown(seconds)}")
    if counted != expected:
        raise SystemExit("writes were lost")


if __name__ == "__main__":
    main()
