"""Gateways on fakes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from fakes import (
    MODEL,
    FakeBucket,
    FakeCatalogue,
    FakeCollection,
    FakeDecoderPool,
    FakeEncoder,
    FakeThumbnailStore,
    picture_row,
    vector_of,
    visual_vector_of,
)
from map_making import fill
from PIL import Image as Pillow
from redis_process import RedisProcess
from sightline.encoder.client import InvalidItem
from sightline_bucket import (
    BucketSettings,
    ThumbnailSettings,
)
from sightline_catalogue import (
    CatalogueSettings,
    Image,
    image_id,
)
from sightline_pictures import PictureSettings
from sightline_search_gateway.app import create_app
from sightline_search_gateway.clients.watcher import QueueUnavailable, WatcherState
from sightline_search_gateway.container import Clients
from sightline_search_gateway.maps.service import MapService
from sightline_search_gateway.maps.settings import MapSettings
from sightline_search_gateway.search.vocabulary import read_vocabulary
from sightline_search_gateway.settings import GatewaySettings, Settings
from sightline_service import LogSettings
from sightline_service.encoder_client import EncoderClientSettings
from sightline_service.left_out_report import LeftOutReport
from sightline_service.queues import DatabaseStatus, QueueSettings
from sightline_service.service_starts import RestartingService
from visitors import CHANGE, READ

MODIFIED_AT = datetime(2024, 5, 1, tzinfo=UTC)


def picture_bytes(color: str = "red", size: tuple[int, int] = (640, 480), kind: str = "JPEG") -> bytes:
    """Return a picture file."""
    buffer = io.BytesIO()
    Pillow.new("RGB", size, color).save(buffer, kind)
    return buffer.getvalue()


@dataclass
class FakeWatcher:
    """Redis in memory, or away."""

    away: bool = False
    said: WatcherState = field(
        default_factory=lambda: WatcherState(ignored=3, queued=2, last_scan_at=datetime(2026, 1, 1, tzinfo=UTC))
    )
    hints: list[list[str] | None] = field(default_factory=list)
    retries: list[list[str] | None] = field(default_factory=list)
    deleted: list[list[str] | None] = field(default_factory=list)
    confirmed: list[datetime] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    said_left_out: LeftOutReport | None = None
    restarts: list[RestartingService] = field(default_factory=list)
    full: dict[str, str] = field(default_factory=dict)

    def full_disks(self) -> dict[str, str]:
        """Return what is said of full disks."""
        return self.full

    def state(self) -> WatcherState:
        """Return what the watcher said."""
        return WatcherState() if self.away else self.said

    def restarting(self) -> list[RestartingService]:
        """Return the services that keep restarting, as the test says."""
        return self.restarts

    def services_warning(self) -> str | None:
        """Return what is wrong with services."""
        return "; ".join(one.message for one in self.restarts) or None

    def database(self) -> DatabaseStatus | None:
        """Return what the watcher said of the database's nodes."""
        return self.state().database

    def bucket_warning(self) -> str | None:
        """Return what the watcher said of the bucket."""
        said = self.state()
        return said.bucket_problem or (said.held.message if said.held else None)

    def left_out(self) -> LeftOutReport | None:
        """Return what the watcher left out."""
        return None if self.away else self.said_left_out

    def request_scan(
        self,
        keys: Sequence[str] | None = None,
        *,
        retry: bool = False,
        deleted: bool = False,
        folder: str | None = None,
        verify: bool = False,
    ) -> None:
        """Take a hint."""
        if self.away:
            raise QueueUnavailable("away")
        given = None if keys is None else list(keys)
        (self.retries if retry else self.hints).append(given)
        if deleted:
            self.deleted.append(given)
        self.asked.append({"keys": given, "folder": folder, "verify": verify})

    def confirm_loss(self, until: datetime) -> None:
        """Take that a loss is real."""
        if self.away:
            raise QueueUnavailable("away")
        self.confirmed.append(until)


def word_bytes() -> bytes:
    """Return vectors of the vocabulary, as another process would have kept them."""
    shape = (len(read_vocabulary().texts), MODEL.dimensions)
    return np.random.default_rng(5).standard_normal(shape).astype(np.float16).tobytes()


WORD_BYTES = word_bytes()


@dataclass
class FakeSharedCache:
    """What another process has made is there already."""

    kept: bytes | None = WORD_BYTES

    def get(self, name: str) -> bytes | None:
        """Return it."""
        return self.kept

    def put(self, name: str, data: bytes) -> None:
        """Keep it."""
        self.kept = data

    def claim(self, name: str, seconds: int) -> bool:
        """Leave it to whoever asks."""
        return True


def row_of_file(data: bytes) -> np.ndarray:
    """Return the vectors of a picture, side by side, or of bytes that are none but were indexed once."""
    try:
        return picture_row(data)
    except InvalidItem:
        return np.concatenate([vector_of(data), visual_vector_of(data)])


class World:
    """A gateway and everything round it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app: Any
        self.client: Any
        self.collection = FakeCollection()
        self.catalogue = FakeCatalogue(self.collection)
        self.encoder = FakeEncoder()
        self.bucket = FakeBucket(writable=settings.bucket.writable)
        self.thumbnails = FakeThumbnailStore()
        self.watcher = FakeWatcher()
        self.shared_cache = FakeSharedCache()
        self.maps = MapService(settings.queue, settings.maps, self.thumbnails)
        self.decoders = FakeDecoderPool()
        self.use(
            Clients(
                catalogue=self.catalogue,
                catalogue_probe=self.catalogue,
                encoder=self.encoder,
                bucket=self.bucket,
                thumbnails=self.thumbnails,
                watcher=self.watcher,
                shared_cache=self.shared_cache,
                maps=self.maps,
                decoders=self.decoders,
            )
        )

    def use(self, clients: Clients) -> None:
        """Make the gateway of other services."""
        self.app = create_app(self.settings, clients)
        self.client = self.app.test_client()

    def add(self, name: str, data: bytes | None = None, *, state: str = "indexed", **changes: Any) -> Image:
        """Put a picture into the bucket and the catalogue."""
        data = picture_bytes() if data is None else data
        key = name
        self.bucket.put(key, data, MODIFIED_AT)
        folder = key.rpartition("/")[0]
        parts = folder.split("/") if folder else []
        indexed = state == "indexed"
        image = Image(
            id=image_id(self.settings.bucket.id, key.encode()),
            bucket=self.settings.bucket.id,
            key=key,
            state=state,
            reason=None,
            attempts=0,
            next_try_at=None,
            sha256=hashlib.sha256(data).hexdigest() if indexed else None,
            bytes=len(data),
            width=640 if indexed else None,
            height=480 if indexed else None,
            format="JPEG" if indexed else None,
            label=parts[-1] if parts else None,
            folders=["/".join(parts[: end + 1]) for end in range(len(parts))],
            taken_at=None,
            camera=None,
            modified_at=MODIFIED_AT,
            indexed_at=datetime(2024, 5, 2, tzinfo=UTC) if indexed else None,
            etag=self.bucket.etag(key),
        )
        image = replace(image, **changes)
        self.collection.upsert([image], [row_of_file(data)] if indexed else None)
        return image


MakeWorld = Callable[..., World]


def settings_with(
    tmp_path: Path,
    *,
    writable: bool = False,
    limits: dict[str, Any] | None = None,
    queue: QueueSettings | None = None,
    maps: dict[str, Any] | None = None,
    **gateway: Any,
) -> Settings:
    """Return settings that read nothing from the environment but what is not given."""
    return Settings(
        gateway=GatewaySettings(**gateway),
        bucket=BucketSettings(url=(tmp_path / "bucket").as_uri(), writable=writable),
        thumbnails=ThumbnailSettings(url=(tmp_path / "thumbnails").as_uri()),
        pictures=PictureSettings(**(limits or {})),
        catalogue=CatalogueSettings(),
        encoder=EncoderClientSettings(),
        queue=queue or QueueSettings(),
        maps=MapSettings(**(maps or {})),
        log=LogSettings(),
    )


@pytest.fixture(autouse=True)
def no_request() -> None:
    """Begin in no request's context: that of the last request of a test stays in its thread."""
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def queue() -> Iterator[QueueSettings]:
    """Return the settings of a Redis that is there for one test."""
    server = RedisProcess()
    yield QueueSettings(redis_url=server.url)
    server.close()


@pytest.fixture
def make_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeWorld]:
    """Return a maker of gateways with settings of one's own."""
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)

    def make(**options: Any) -> World:
        return World(settings_with(tmp_path, **options))

    return make


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """Return a gateway with a read-only bucket of five pictures."""
    made = make_world()
    for name, color in (("cat", "red"), ("dog", "blue"), ("cow", "green")):
        made.add(f"animals/{name}.jpg", picture_bytes(color))
    made.add("fruits/red/apple.jpg", picture_bytes("yellow"))
    made.add("top.jpg", picture_bytes("black"))
    return made


@pytest.fixture
def writable(make_world: MakeWorld) -> World:
    """Return a gateway with a bucket that may be changed."""
    return make_world(writable=True)


@pytest.fixture
def keyed(make_world, queue):
    """Return a maker of gateways with a picture, keys, and whatever else is set."""
    made = []

    def make(**settings):
        world = make_world(**{"writable": True, "queue": queue, "api_keys": CHANGE, "read_keys": READ} | settings)
        world.image = world.add("a.jpg")
        world.maps.jobs.join("worker")
        made.append(world)
        return world

    yield make
    for world in made:
        world.maps.close()


@pytest.fixture
def mapping(make_world, queue):
    """Return a gateway with pictures, a Redis, and a map worker that says it is there."""
    world = make_world(queue=queue)
    fill(world)
    world.maps.jobs.join("worker")
    yield world
    world.maps.close()


def assert_problem(response: Any, status: int, kind: str) -> dict[str, Any]:
    """Check that an answer is a problem of a kind, fit to be shown; return its body."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    body = response.json
    assert body["status"] == status
    assert body["type"] == ("about:blank" if kind == "blank" else f"urn:sightline:problem:{kind}")
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response.headers["X-Request-ID"]
    assert "Traceback" not in response.text
    return body


@pytest.fixture
def problem() -> Callable[..., dict[str, Any]]:
    """Return a check that an answer is a problem."""
    return assert_problem


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Return a maker of picture files."""
    return picture_bytes
