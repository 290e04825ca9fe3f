"""Real servers for the tests: one process each, on a free port, over a folder of the test's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from qdrant_client import QdrantClient, models
from qdrant_client import grpc as grpc_api
from sightline_local.stack import free_port

DEADLINE_SECONDS = 120


PROGRAM = ("-m", "sightline_qdrant_edge")


class Server:
    """A `sightline-qdrant-edge` process."""

    def __init__(self, folder: Path, program: Sequence[str] = PROGRAM, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder.parent / f"{folder.name}.log"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("EDGE_")},
            "EDGE_DATA_DIR": str(folder),
            "EDGE_PORT": str(self.port),
            **settings,
        }
        self.program = [sys.executable, *program]
        self.clients: list[QdrantClient] = []
        self.process = self.spawn()

    def spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(self.program, env=self.environment, stderr=log)

    def wait_ready(self) -> Server:
        with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            deadline = time.monotonic() + DEADLINE_SECONDS
            while time.monotonic() < deadline:
                assert self.process.poll() is None, self.log.read_text()
                try:
                    reply = stub.Check(health_pb2.HealthCheckRequest(), timeout=1, wait_for_ready=True)
                    if reply.status == health_pb2.HealthCheckResponse.SERVING:
                        return self
                except grpc.RpcError:
                    pass
                time.sleep(0.02)
        raise AssertionError(f"not ready: {self.log.read_text()}")

    def client(self, **options: object) -> QdrantClient:
        client = QdrantClient(
            host="127.0.0.1",
            grpc_port=self.port,
            prefer_grpc=True,
            check_compatibility=False,
            timeout=30,
            https=False,
            **options,
        )
        self.clients.append(client)
        return client

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=DEADLINE_SECONDS)

    def restart(self) -> Server:
        self.process = self.spawn()
        return self.wait_ready()

    def close(self) -> None:
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.kill()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers that end with the test."""
    servers: list[Server] = []

    def start(name: str = "data", *, ready: bool = True, program: Sequence[str] = PROGRAM, **settings: str) -> Server:
        server = Server(tmp_path / name, program, **settings)
        servers.append(server)
        return server.wait_ready() if ready else server

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QdrantClient]:
    """A client of one server that the tests of a module share."""
    server = Server(tmp_path_factory.mktemp("edge") / "data").wait_ready()
    yield server.client()
    server.close()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A collection's name of the test's own."""
    return request.node.name.replace("[", "-").replace("]", "")


@pytest.fixture(scope="session")
def create() -> Callable[..., None]:
    """Create a collection as the catalogue does."""

    def create(client: QdrantClient, name: str, size: int = 4, **options: object) -> None:
        client.create_collection(
            name,
            vectors_config={"image": models.VectorParams(size=size, distance=models.Distance.COSINE, on_disk=True)},
            hnsw_config=models.HnswConfigDiff(m=16, ef_construct=128),
            quantization_config=models.ScalarQuantization(
                scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
            ),
            **options,
        )

    return create


@pytest.fixture(scope="session")
def fill() -> Callable[..., None]:
    """Upsert the points first to last of an array of vectors, by number, over the raw stub."""

    def fill(client: QdrantClient, name: str, vectors: np.ndarray, first: int, last: int, batch: int = 500) -> None:
        for start in range(first, last, batch):
            request = grpc_api.UpsertPoints(collection_name=name, wait=True)
            for number in range(start, min(start + batch, last)):
                point = request.points.add()
                point.id.num = number
                point.payload["number"].integer_value = number
                point.vectors.vectors.vectors["image"].dense.data.extend(vectors[number].tolist())
            client.grpc_points.Upsert(request)

    return fill


@pytest.fixture(scope="session")
def refused() -> Callable[..., str]:
    """Expect a call to fail with a gRPC code; return what it says."""

    def refused(code: str, call: Callable[..., object], *arguments: object, **options: object) -> str:
        with pytest.raises(grpc.RpcError) as error:
            call(*arguments, **options)
        assert error.value.code().name == code, error.value.details()
        return str(error.value.details())

    return refused
