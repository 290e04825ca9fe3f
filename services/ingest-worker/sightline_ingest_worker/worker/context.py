"""The context of a worker process: its connections to bucket, thumbnails, catalogue and encoder, and its threads."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from sightline.encoder.client import EncoderClient
from sightline_bucket import Bucket, ThumbnailStore, open_bucket
from sightline_catalogue import Catalogue, image_id
from sightline_pictures import PictureSettings
from sightline_pictures.decoder_pool import DecoderPool
from sightline_service.clock import SYSTEM_CLOCK, Clock
from sightline_service.context_threads import ContextThreadPoolExecutor
from sightline_service.encoder_client import open_encoder
from sightline_service.full_disks import note_full_disk
from sightline_service.queues import redis_client

from sightline_ingest_worker.settings import WorkerSettings
from sightline_ingest_worker.target import TargetSource
from sightline_ingest_worker.worker.encode_locks import EncodeLocks
from sightline_ingest_worker.worker.sidecars import SidecarFolders
from sightline_ingest_worker.worker.sketches import Sketches

ENCODE_BATCH = 16
"""Images in one request to the encoder."""


MOST_DECODE_SECONDS = 60.0
"""Decoding a picture may take no longer here: a task is ended before long."""


class Stopping(Exception):
    """The worker is stopping; the rest of the task is requeued."""


@dataclass
class WorkerContext:
    """The dependencies of indexing.

    Attributes:
        encode_locks: Locks on the bytes that are being encoded.
        decoders: Processes that decode.
        stopping: Returns whether the worker is stopping.
        encode_batch: Images in one request to the encoder.
        tell_full_disk: Tells which disk is full, and a sentence about it.
        full_disk_at: When this process last waited for room on a disk; monotonic.
        sidecar_folders: What is known of the folders that tasks have looked for sidecars in.
        readers: Threads that read, and have decoded.
        sender: One thread that encodes and stores while the next images are read.
        clock: Tells the time.
        sketches: Of the pictures that were compared lately.
    """

    bucket_id: str
    bucket: Bucket
    thumbnails: ThumbnailStore
    encoder: EncoderClient
    target: TargetSource
    pictures: PictureSettings
    encode_locks: EncodeLocks
    decoders: DecoderPool
    stopping: Callable[[], bool]
    encode_batch: int = ENCODE_BATCH
    tell_full_disk: Callable[[str, str], None] = lambda name, message: None
    full_disk_at: float = -math.inf
    sidecar_folders: SidecarFolders = field(default_factory=SidecarFolders)
    readers: ThreadPoolExecutor = field(default_factory=lambda: ContextThreadPoolExecutor(2, "read"))
    sender: ThreadPoolExecutor = field(default_factory=lambda: ContextThreadPoolExecutor(1, "send"))
    clock: Clock = SYSTEM_CLOCK
    sketches: Sketches = field(init=False)

    def __post_init__(self) -> None:
        self.sketches = Sketches(self.thumbnails)

    def image_id(self, key: str) -> str:
        """Return the id of a key's record."""
        return image_id(self.bucket_id, key.encode())

    def check_stopping(self) -> None:
        """Raise Stopping if the worker is stopping."""
        if self.stopping():
            raise Stopping

    def pause(self, seconds: float) -> None:
        """Sleep.

        Raises:
            Stopping: The worker is stopping.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.check_stopping()
            time.sleep(min(left, 0.2))


def decoder_pool(pictures: PictureSettings, threads: int) -> DecoderPool:
    """Return the decoders of a process that has so many threads for them."""
    return DecoderPool(threads, min(pictures.max_seconds, MOST_DECODE_SECONDS), callers=threads)


def open_context(settings: WorkerSettings, stopping: Callable[[], bool]) -> WorkerContext:
    """Return a process's context. Call it after the fork: gRPC and the object store's runtime do not survive one."""
    encoder = open_encoder(settings.encoder)
    catalogue = Catalogue(settings.catalogue, settings.bucket.id)
    client = redis_client(settings.queue)
    return WorkerContext(
        bucket_id=settings.bucket.id,
        bucket=open_bucket(settings.bucket),
        thumbnails=ThumbnailStore(settings.thumbnails.url, settings.disk.reserve_mb),
        encoder=encoder,
        target=TargetSource(encoder, catalogue),
        pictures=settings.pictures,
        encode_locks=EncodeLocks(client, settings.node),
        decoders=decoder_pool(settings.pictures, settings.threads),
        stopping=stopping,
        tell_full_disk=partial(note_full_disk, client),
        readers=ContextThreadPoolExecutor(settings.threads, "read"),
    )
