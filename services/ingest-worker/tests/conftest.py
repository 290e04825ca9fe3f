from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import SimpleNamespace

import PIL.Image
import pytest
from fakes import (
    MODEL,
    PREPROCESSING,
    FakeBucket,
    FakeCatalogue,
    FakeCollection,
    FakeDecoderPool,
    FakeEncoder,
    FakeThumbnailStore,
)
from prometheus_client import REGISTRY
from redis_process import RedisProcess
from sightline_bucket.folder import FolderBucket
from sightline_ingest_worker.broker import KEYS_PER_TASK
from sightline_ingest_worker.target import Target
from sightline_ingest_worker.watcher.backfill import Backfill
from sightline_ingest_worker.watcher.candidates import Candidates
from sightline_ingest_worker.watcher.loop import Watcher
from sightline_ingest_worker.watcher.missing_plan import LossRule
from sightline_ingest_worker.watcher.missing_records import MissingRecords
from sightline_ingest_worker.watcher.reconciler import Reconciler
from sightline_ingest_worker.watcher.task_queue import QueueLengths
from sightline_ingest_worker.worker.context import WorkerContext
from sightline_ingest_worker.worker.indexing import index_keys
from sightline_pictures import PictureSettings
from sightline_service.clock import SYSTEM_CLOCK, Clock

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


@dataclass
class Bench:
    """Fakes, and a context over them."""

    bucket: FakeBucket = field(default_factory=FakeBucket)
    thumbnails: FakeThumbnailStore = field(default_factory=FakeThumbnailStore)
    encoder: FakeEncoder = field(default_factory=FakeEncoder)
    collection: FakeCollection = field(default_factory=FakeCollection)
    decoders: FakeDecoderPool = field(default_factory=FakeDecoderPool)
    slept: list[float] = field(default_factory=list)
    clock: Clock = SYSTEM_CLOCK

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
            decoders=self.decoders,
            stopping=lambda: False,
            encode_batch=4,
            readers=ThreadPoolExecutor(2),
            clock=self.clock,
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
        keys = Counter(queue for _, queue in self.sent)
        new, backfill, reread = (math.ceil(keys[queue] / KEYS_PER_TASK) for queue in ("new", "backfill", "reread"))
        return QueueLengths(new, self.waiting or backfill, self.in_progress, reread)

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


class Scene:
    """A watcher over a real folder and a real Redis; catalogue and queue are fakes."""

    def __init__(self, bench, tasks, catalogue, client, root):
        self.root, self.bench, self.tasks, self.catalogue, self.client = root, bench, tasks, catalogue, client
        root.mkdir(exist_ok=True)
        self.bucket = FolderBucket(os.fsencode(root))
        bench.context.bucket = self.bucket
        self.settings = SimpleNamespace(scan_seconds=3600)
        self.quiet_seconds = self.grace_seconds = 0.0
        self.rule = LossRule(share=0.2, least=100, window=timedelta(minutes=10))
        self.keep = timedelta(days=30)
        self.start()

    def start(self) -> None:
        """Begin with a new process's memory."""
        clock = self.bench.clock
        candidates, backfill = Candidates(self.bucket), Backfill(self.tasks, clock=clock)
        reconciler = Reconciler("main", self.tasks, self.quiet_seconds, candidates, backfill, clock)
        self.watcher = Watcher(
            settings=self.settings,
            bucket=self.bucket,
            catalogue=self.catalogue,
            target=self.bench.target,
            reconciler=reconciler,
            missing=MissingRecords(
                self.bucket,
                self.bench.thumbnails,
                self.rule,
                self.keep,
                reconciler,
                candidates,
                self.grace_seconds,
                clock,
            ),
            candidates=candidates,
            backfill=backfill,
            tasks=self.tasks,
            client=self.client,
            stopping=lambda: False,
            quiet_seconds=self.quiet_seconds,
            clock=clock,
        )

    def write(self, key: str, data: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (1_600_000_000, 1_600_000_000 + len(data)))

    def tell(self, *keys: str) -> None:
        for key in keys:
            self.watcher.changed.put(key)
        self.watcher.step()

    def scan(self) -> None:
        self.watcher.request_scan()
        self.watcher.step()

    def work(self) -> None:
        """Do what is queued, as a worker would."""
        keys, self.tasks.sent = self.tasks.keys, []
        index_keys(self.bench.context, keys)
        # What is new is compared by a task of its own.
        index_keys(self.bench.context, keys)

    def steps(self, count: int = 3) -> None:
        for _ in range(count):
            self.watcher.step()

    def fill(self, folder: str, count: int, first: int = 0) -> list[str]:
        """Index so many pictures of a folder; return their keys."""
        keys = [f"{folder}/{number}.png" for number in range(first, first + count)]
        for number, key in enumerate(keys, start=first):
            self.write(key, draw_picture(number))
        self.scan()
        self.work()
        return keys

    @property
    def states(self) -> dict[str, str]:
        return self.bench.states

    @staticmethod
    def gauge(name: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(f"sightline_watcher_{name}", labels)

    @property
    def in_search(self) -> set[str]:
        return {key for key, state in self.states.items() if state == "indexed"}

    @property
    def encoded(self) -> int:
        return sum(self.bench.encoder.batches)


@pytest.fixture
def make_scene(bench, tmp_path, make_queue):
    """Makes the one scene of a test over a Redis client."""
    return lambda client: Scene(bench, make_queue(), FakeCatalogue(), client, tmp_path / "bucket")


@pytest.fixture(scope="session")
def make_scene_at():
    """Makes scenes over a folder, with a clock of their own."""
    return lambda client, root, clock: Scene(Bench(clock=clock), FakeQueue(), FakeCatalogue(), client, root)


@pytest.fixture
def scene(make_scene, redis_server, monkeypatch):
    monkeypatch.setattr("sightline_ingest_worker.watcher.loop.HINT_SECONDS", 0.02)
    for pause in ("CHECK_SECONDS", "IDLE_CHECK_SECONDS"):
        monkeypatch.setattr(f"sightline_ingest_worker.watcher.missing_records.{pause}", 0.0)
    return make_scene(redis_server.client)
