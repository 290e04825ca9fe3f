"""Settings of the worker and of the watcher."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sightline_bucket import BucketSettings, ThumbnailSettings
from sightline_catalogue import CatalogueSettings
from sightline_pictures import PictureSettings
from sightline_service import LogSettings, SettingsGroup, available_cores
from sightline_service.encoder_client import EncoderClientSettings
from sightline_service.queues import QueueSettings

from sightline_ingest_worker.node import NodeSettings

KEYS_PER_TASK = 32


class IngestSettings(SettingsGroup):
    """What worker and watcher both need."""

    log: LogSettings = Field(default_factory=LogSettings)
    queue: QueueSettings = Field(default_factory=QueueSettings)
    bucket: BucketSettings = Field(default_factory=BucketSettings)  # type: ignore[arg-type]
    thumbnails: ThumbnailSettings = Field(default_factory=ThumbnailSettings)  # type: ignore[arg-type]
    catalogue: CatalogueSettings = Field(default_factory=CatalogueSettings)
    encoder: EncoderClientSettings = Field(default_factory=EncoderClientSettings)


class WorkerSettings(NodeSettings, IngestSettings):
    """The worker's own: `WORKER_*`."""

    model_config = SettingsConfigDict(env_prefix="WORKER_")

    pictures: PictureSettings = Field(default_factory=PictureSettings)
    processes: int = Field(default_factory=available_cores, ge=1, le=256)
    """Processes that take a task each."""
    threads: int = Field(default=2, ge=1, le=64)
    """Threads in each process that read and decode."""
    encode_batch: int = Field(default=16, ge=1, le=256)
    """Pictures that one request to the encoder holds."""
    wait_seconds: float = Field(default=45, gt=0, le=3600)
    """How long a task waits for a service that is away before it goes back to the queue; shorter than
    QUEUE_VISIBILITY_SECONDS."""
    metrics_address: str = "127.0.0.1"
    metrics_port: int = Field(default=9102, ge=0, le=65535)


class WatcherSettings(IngestSettings):
    """The watcher's own: `WATCHER_*`."""

    model_config = SettingsConfigDict(env_prefix="WATCHER_")

    scan_seconds: float = Field(default=60, ge=1, le=86_400)
    """The pause between two comparisons of the whole bucket with the catalogue."""
    events: Literal["auto", "on", "off"] = "auto"
    """File events: `auto` where the bucket is a folder on a file system that reports them."""
    quiet_seconds: float = Field(default=1.0, ge=0, le=60)
    """A file that changes is queued once it has been left alone for so long."""
    stuck_seconds: float = Field(default=10, ge=1, le=3600)
    """Pending pictures are queued again when the queues are empty and their number has not fallen for so long."""
    batch: int = Field(default=KEYS_PER_TASK, ge=1, le=KEYS_PER_TASK)
    """Keys in a task."""
    queue_tasks: int = Field(default=2000, ge=1)
    """Tasks that may wait in the backfill queue; a scan pauses while there are more."""
    metrics_address: str = "127.0.0.1"
    metrics_port: int = Field(default=9103, ge=0, le=65535)
