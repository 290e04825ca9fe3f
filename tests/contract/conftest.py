"""What the contract tests run over: fakes and the real things.

The vector database is qdrant-edge as a process, or the server that QDRANT_URL names.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeCollection
from s3_server import S3Server
from sightline_catalogue import (
    Catalogue,
    CatalogueSettings,
    CatalogueUnavailable,
    Collection,
    Image,
    ModelRef,
    image_id,
)
from sightline_local.stack import free_port

DIMENSIONS = 16
START_SECONDS = 60
SPRING = datetime(2024, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """An S3 store, which the environment names."""
    server = S3Server()
    with server.settings():
        yield server
    server.close()


class Server:
    """A qdrant-edge process over a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self, **settings: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EDGE_")}
        environment |= {"EDGE_DATA_DIR": str(self._folder / "data"), "EDGE_PORT": str(self._port), **settings}
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sightline_qdrant_edge"], env=environment, stdout=log, stderr=log
            )
        catalogue = Catalogue(CatalogueSettings(url=self.url, api_key=settings.get("QDRANT_API_KEY")), "main")
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert self._process.poll() is None, (self._folder / "log").read_text()
            try:
                catalogue.ping()
                break
            except CatalogueUnavailable:
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.05)
        catalogue.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=30)


@pytest.fixture(scope="session")
def server_url(tmp_path_factory) -> Iterator[str]:
    """The URL of a server that all tests share."""
    if url := os.environ.get("QDRANT_URL"):
        yield url
        return
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def own_server(tmp_path) -> Iterator[Server]:
    """A server of the test's own, which it may kill: always qdrant-edge."""
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_keyed_server(tmp_path) -> Iterator[Server]:
    """A qdrant-edge of the test's own, whose keys are `secret` and, to read, `look`."""
    server = Server(tmp_path)
    server.start(QDRANT_API_KEY="secret", QDRANT_READ_ONLY_API_KEY="look")
    yield server
    server.stop()


@pytest.fixture
def two_servers(tmp_path) -> Iterator[list[Server]]:
    """Two servers of the test's own, which know nothing of each other."""
    servers = [Server(tmp_path / "one"), Server(tmp_path / "two")]
    for server in servers:
        server.start()
    yield servers
    for server in servers:
        server.stop()


class Namespace:
    """A test's own collections and alias on a shared server, which no other test sees."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.prefix = f"t{secrets.token_hex(4)}"
        self._catalogues: list[Catalogue] = []

    def model(self, name: str = "model", dimensions: int = DIMENSIONS, visual_dimensions: int = 0) -> ModelRef:
        return ModelRef(f"{self.prefix}/{name}", secrets.token_hex(32), dimensions, visual_dimensions)

    def catalogue(self, bucket_id: str = "main") -> Catalogue:
        settings = CatalogueSettings(url=self.url, timeout_seconds=10)
        self._catalogues.append(Catalogue(settings, bucket_id, alias=f"{self.prefix}-alias"))
        return self._catalogues[-1]

    def clear(self) -> None:
        catalogue = self.catalogue()
        for collection in catalogue.collections():
            if collection.name.startswith(f"images-{self.prefix}-"):
                catalogue.delete_collection(collection, force=True)
        for one in self._catalogues:
            one.close()


@pytest.fixture
def namespace(server_url) -> Iterator[Namespace]:
    """The test's own collections on the server, deleted afterwards."""
    namespace = Namespace(server_url)
    yield namespace
    namespace.clear()


@pytest.fixture
def indexing_namespace(tmp_path) -> Iterator[Namespace]:
    """The test's own collections on a server that builds an index over few vectors, or on that of QDRANT_URL."""
    url = os.environ.get("QDRANT_URL")
    server = Server(tmp_path)
    if url is None:
        server.start(EDGE_INDEX_THRESHOLD="1000")
    namespace = Namespace(url or server.url)
    yield namespace
    namespace.clear()
    server.stop()


@pytest.fixture
def catalogue(namespace) -> Catalogue:
    """A catalogue that has no collection yet."""
    return namespace.catalogue()


@pytest.fixture
def server_collection(catalogue, namespace) -> Collection:
    """An empty collection on the server."""
    return catalogue.ensure_collection(namespace.model())


@pytest.fixture(params=["server", "fake"])
def collection(request) -> Collection | FakeCollection:
    """An empty collection: on the server, and the fake."""
    if request.param == "fake":
        return FakeCollection(ModelRef("model", "f" * 64, DIMENSIONS))
    return request.getfixturevalue("server_collection")


@pytest.fixture
def random_vectors() -> Callable[[int], np.ndarray]:
    """Returns (n, 16) float32 unit vectors, others at each call."""
    random = np.random.default_rng(7)

    def draw(count: int) -> np.ndarray:
        vectors = random.standard_normal((count, DIMENSIONS)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    return draw


@pytest.fixture
def make_image() -> Callable[..., Image]:
    """Makes an image from its key; other fields are given by name."""

    def make(key: str, *, bucket: str = "main", **fields: object) -> Image:
        folders = key.split("/")[:-1]
        facts = {
            "state": "indexed",
            "attempts": 1,
            "sha256": None,
            "bytes": 1234,
            "width": 640,
            "height": 480,
            "format": "JPEG",
            "label": folders[-1] if folders else None,
            "folders": ["/".join(folders[: depth + 1]) for depth in range(len(folders))],
            "modified_at": SPRING,
            "indexed_at": SPRING,
            "etag": f"etag of {key}",
        }
        return Image(id=image_id(bucket, key.encode()), bucket=bucket, key=key, **(facts | fields))

    return make
