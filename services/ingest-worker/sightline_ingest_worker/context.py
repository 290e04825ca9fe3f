"""What a worker process holds open: bucket, thumbnails, catalogue, encoder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from sightline.encoder.client import EncoderClient
from sightline_bucket import Bucket, ThumbnailStore, open_bucket, open_thumbnails
from sightline_catalogue import Catalogue, Collection, ModelRef, image_id
from sightline_pictures import PictureSettings, Preprocessing
from sightline_pictures.proto import from_proto
from sightline_service.encoder_client import open_encoder
from sightline_service.queues import redis_client

from sightline_ingest_worker.claims import Claims, NoClaims, RedisClaims
from sightline_ingest_worker.journal import Journal, NoJournal, RedisJournal
from sightline_ingest_worker.settings import WorkerSettings

log = structlog.get_logger()

TARGET_SECONDS = 30.0
"""How long the encoder's default model is taken for the same."""
ENCODE_BATCH = 16
"""Pictures in one request to the encoder."""
MODELS_SECONDS = 3.0


class Stopping(Exception):
    """The worker was told to stop; what is not done yet is for another."""


@dataclass(frozen=True)
class Target:
    """Where vectors go: the collection of the encoder's default model, and how pictures become its input."""

    collection: Collection
    model: ModelRef
    preprocessing: Preprocessing
    max_images: int = 16
    """Of one request to the encoder."""


class TargetSource:
    """Finds the target, and keeps it for a while.

    Args:
        encoder: Its first model is the one that pictures are indexed for.
        catalogue: Gets the model's collection if it has none.
        seconds: How long an answer is kept.
    """

    def __init__(self, encoder: EncoderClient, catalogue: Catalogue, seconds: float = TARGET_SECONDS) -> None:
        self._encoder = encoder
        self._catalogue = catalogue
        self._seconds = seconds
        self._lock = threading.Lock()
        self._target: Target | None = None
        self._found_at = 0.0

    def __call__(self) -> Target:
        """Return the target.

        Raises:
            EncoderError, CatalogueError: They are away, and no recent answer is kept.
        """
        with self._lock:
            if self._target is None or time.monotonic() - self._found_at > self._seconds:
                model = self._encoder.models(timeout_seconds=MODELS_SECONDS)[0]
                ref = ModelRef(id=model.id, fingerprint=model.fingerprint, dimensions=model.dimensions)
                if self._target is None or self._target.model != ref:
                    collection = self._catalogue.ensure_collection(ref)
                    preprocessing = from_proto(model.preprocessing)
                    limit = self._request_limit(preprocessing)
                    self._target = Target(collection, ref, preprocessing, limit)
                    log.info("indexing for a model", model=ref.id, collection=collection.name)
                self._found_at = time.monotonic()
            return self._target

    def _request_limit(self, preprocessing: Preprocessing) -> int:
        limits = self._encoder.limits(timeout_seconds=MODELS_SECONDS)
        image_bytes = 3 * preprocessing.crop_width * preprocessing.crop_height + 1024
        return max(1, min(limits.max_images, limits.max_message_bytes // image_bytes))

    def forget(self) -> None:
        """Ask again next time: the model or the collection is not what it was."""
        with self._lock:
            self._target = None


@dataclass
class Context:
    """All that indexing needs, passed in.

    Attributes:
        encode_batch: Pictures in one request to the encoder.
        readers: Reads and decodes.
        sender: One thread that encodes and stores while the next pictures are read.
        claims: On bytes that are being encoded.
        journal: Of keys that are being decoded.
        stopping: True once the worker was told to stop.
    """

    bucket_id: str
    bucket: Bucket
    thumbnails: ThumbnailStore
    encoder: EncoderClient
    target: TargetSource
    pictures: PictureSettings
    encode_batch: int = ENCODE_BATCH
    readers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "read"))
    sender: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "send"))
    claims: Claims = field(default_factory=NoClaims)
    journal: Journal = field(default_factory=NoJournal)
    stopping: Callable[[], bool] = lambda: False
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    def image_id(self, key: str) -> str:
        """Return the id of a key's point."""
        return image_id(self.bucket_id, key.encode())

    def check_stopping(self) -> None:
        """Raise Stopping if the worker was told to stop."""
        if self.stopping():
            raise Stopping

    def pause(self, seconds: float) -> None:
        """Sleep, but no longer than the worker runs.

        Raises:
            Stopping: It was told to stop meanwhile.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.check_stopping()
            self.sleep(min(left, 0.2))


def open_context(settings: WorkerSettings, stopping: Callable[[], bool]) -> Context:
    """Open everything. Call it after the fork: gRPC and the object store's runtime do not survive one."""
    encoder = open_encoder(settings.encoder)
    catalogue = Catalogue(settings.catalogue, settings.bucket.id)
    client = redis_client(settings.queue)
    return Context(
        bucket_id=settings.bucket.id,
        bucket=open_bucket(settings.bucket),
        thumbnails=open_thumbnails(settings.thumbnails.url),
        encoder=encoder,
        target=TargetSource(encoder, catalogue),
        pictures=settings.pictures,
        readers=ThreadPoolExecutor(settings.threads, "read"),
        claims=RedisClaims(client, settings.node),
        journal=RedisJournal(client, settings.node),
        stopping=stopping,
    )
