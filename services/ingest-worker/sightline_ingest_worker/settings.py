"""Settings of the worker and of the watcher."""

from __future__ import annotations

import socket
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sightline_bucket import BucketSettings, ThumbnailSettings
from sightline_catalogue import CatalogueSettings
from sightline_pictures import PictureSettings
from sightline_service import LogSettings, SettingsGroup, available_cores
from sightline_service.disk_space import DiskSettings
from sightline_service.encoder_client import EncoderClientSettings
from sightline_service.metrics import MetricsSettings
from sightline_service.queues import QueueSettings
from sightline_service.tracing import TracingSettings


class IngestSettings(SettingsGroup):
    """Settings that worker and watcher share."""

    log: LogSettings = Field(default_factory=LogSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    tracing: TracingSettings = Field(default_factory=TracingSettings)
    queue: QueueSettings = Field(default_factory=QueueSettings)
    bucket: BucketSettings = Field(default_factory=BucketSettings)  # type: ignore[arg-type]
    thumbnails: ThumbnailSettings = Field(default_factory=ThumbnailSettings)  # type: ignore[arg-type]
    catalogue: CatalogueSettings = Field(default_factory=CatalogueSettings)
    encoder: EncoderClientSettings = Field(default_factory=EncoderClientSettings)
    disk: DiskSettings = Field(default_factory=DiskSettings)


class WorkerSettings(IngestSettings):
    """The ingest worker."""

    model_config = SettingsConfigDict(env_prefix="WORKER_")

    pictures: PictureSettings = Field(default_factory=PictureSettings)
    name: str = Field(default_factory=socket.gethostname, pattern=r"^[A-Za-z0-9._-]+$")
    """The worker's name: Celery knows it as `ingest@NAME`; unset means the host's name. Two on one machine need two
    names."""
    processes: int = Field(default_factory=available_cores, ge=1, le=256)
    """Worker processes, each running one task at a time; unset means one for each core."""
    threads: int = Field(default=2, ge=1, le=64)
    """Threads in each process that read and decode images."""
    metrics_port: int = Field(default=9102, ge=0, le=65535)
    """The port on which the worker serves `/metrics` and `/healthz`; 0 switches it off."""

    @property
    def node(self) -> str:
        """Celery's name of the worker's node."""
        return f"ingest@{self.name}"


class WatcherSettings(IngestSettings):
    """The watcher."""

    model_config = SettingsConfigDict(env_prefix="WATCHER_")

    scan_seconds: float = Field(default=60, ge=1, le=86_400)
    """Seconds from the beginning of one scan to that of the next; each compares the whole bucket with the catalogue. A
    scan that takes long is followed by a pause three times as long, of ten minutes at most."""
    events: Literal["auto", "on", "off"] = "auto"
    """File events: `on`, `off`, or `auto`, which is on where the bucket is a folder on a file system that reports them.
    A network file system does not: changes there are found by the scan."""
    loss_share: float = Field(default=0.2, gt=0, le=1)
    """When at least so large a part of all pictures, and at least WATCHER_LOSS_LEAST of them, go missing at once, they
    are held: they stay in search until they are back or somebody confirms that they are gone."""
    loss_least: int = Field(default=100, ge=1)
    """The fewest pictures that are held; fewer that go missing leave the collection within seconds."""
    loss_window_seconds: float = Field(default=600, ge=1, le=86_400)
    """What goes missing within so many seconds counts as missing at once."""
    keep_days: float = Field(default=30, ge=0, le=3650)
    """For so many days a picture that left the collection, since its file is gone, keeps its vector and its thumbnail,
    so that nothing is computed where the file comes back; 0 deletes them at once. What is deleted through the page or
    the API is never kept."""
    metrics_port: int = Field(default=9103, ge=0, le=65535)
    """The port on which the watcher serves `/metrics` and `/healthz`; 0 switches it off."""
