from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO

import PIL.Image
import pytest
from fakes import MODEL, PREPROCESSING, FakeBucket, FakeCollection, FakeEncoder, FakeThumbnailStore
from redis_process import RedisProcess
from sightline_ingest_worker.target import Target
from sightline_ingest_worker.watcher.task_queue import QueueLengths
from sightline_ingest_worker.worker.context import WorkerContext
from sightline_pictures import PictureSettings

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def session_redis() -> Iterator[RedisProcess]:
    server = RedisProcess()
    yield server
    server.close()


@pytest.fixture
def redis_server(session_redis: RedisProcess) -> RedisProcess:
    session_redis.clear()
    return session_redis


@pytest.fixture(scope="module")
def module_redis() -> Iterator[RedisProcess]:
    """A Redis that a module's tests may kill."""
    server = RedisProcess()
    yield server
    server.close()


class FakeTarget:
    def __init__(self, collection: FakeCollection) -> None:
        self.target = Target(collection, MODEL, PREPROCESSING, 16)
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
    thumbnails: FakeThumbnailStore = field(default_factory=FakeThumbnailStore)
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


@pytest.fixture(scope="session")
def make_bench():
    """Makes benches that outlive no example: nothing of them runs."""
    return lambda: (Bench(), FakeQueue())


@pytest.fixture
def make_queue() -> type[FakeQueue]:
    return FakeQueue
