"""The watcher's status: a Redis hash that the gateway reads, and metrics."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import redis
from prometheus_client import Counter, Gauge
from redis.typing import EncodableT, FieldT
from sightline_catalogue import Counts
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW, WATCHER_HASH

from sightline_ingest_worker.upstream_errors import SERVICES
from sightline_ingest_worker.watcher.task_queue import QueueLengths

SCANS = Counter("sightline_watcher_scans_total", "Scans of the whole bucket: done, or aborted.", ["outcome"])
for _outcome in ("done", "aborted"):
    SCANS.labels(_outcome)
LAST_SCAN = Gauge("sightline_watcher_last_scan_timestamp_seconds", "When the last scan ended; 0 before the first.")
PAUSE_SECONDS = Gauge("sightline_watcher_scan_pause_seconds", "The pause from one scan to the next.")
SCAN_SECONDS = Gauge("sightline_watcher_scan_seconds", "How long the last scan took.")
LISTED = Gauge("sightline_watcher_listed", "Objects that the last scan listed, ignored ones included.")
QUEUED = Counter("sightline_watcher_queued_total", "Keys queued, by reason.", ["reason"])
for _reason in ("event", "hint", "scan", "requeue"):
    QUEUED.labels(_reason)
DELETED = Counter("sightline_watcher_deleted_total", "Records deleted because their objects were gone.")
IMAGES = Gauge(
    "sightline_watcher_images",
    "Objects of the bucket by state: pending, indexed, failed, ignored (their names are not those of images).",
    ["state"],
)
TASKS = Gauge(
    "sightline_watcher_queue_tasks",
    "Tasks of up to 32 keys: waiting in the queue new, waiting in backfill, in progress in a worker.",
    ["queue"],
)
WAITING = Gauge(
    "sightline_watcher_waiting", "1 while the watcher waits for a service that does not answer.", ["service"]
)


@dataclass
class WatcherStatus:
    """The fields of the Redis hash. Times are ISO 8601 in UTC, booleans 1 or 0, and what is unknown is empty.

    Attributes:
        scanning: Whether the bucket is being listed.
        ignored: Objects of the last scan whose names are not those of images.
        last_scan_at: When the last scan ended.
    """

    scanning: bool = False
    ignored: int | None = None
    last_scan_at: datetime | None = None

    def write(self, client: redis.Redis) -> None:
        """Write all fields, since Redis may have lost them.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        fields: dict[FieldT, EncodableT] = {
            "scanning": int(self.scanning),
            "ignored": "" if self.ignored is None else self.ignored,
            "last_scan_at": _text(self.last_scan_at),
            "updated_at": _text(datetime.now(UTC)),
        }
        client.hset(WATCHER_HASH, mapping=fields)


def show(counts: Counts, ignored: int | None, lengths: QueueLengths) -> None:
    """Set the gauges of images by state and of tasks by queue."""
    for state, images in {**asdict(counts), "ignored": ignored}.items():
        if images is not None:
            IMAGES.labels(state).set(images)
    tasks = {QUEUE_NEW: lengths.new, QUEUE_BACKFILL: lengths.backfill, "in_progress": lengths.in_progress}
    for queue, count in tasks.items():
        TASKS.labels(queue).set(count)


def show_scan(seconds: float, pause_seconds: float, listed: int) -> None:
    """Count a scan that has just ended."""
    SCANS.labels("done").inc()
    SCAN_SECONDS.set(seconds)
    PAUSE_SECONDS.set(pause_seconds)
    LAST_SCAN.set_to_current_time()
    LISTED.set(listed)


def show_waiting(service: str) -> None:
    """Set the gauge of the service that does not answer; empty if all answer."""
    for name in SERVICES:
        WAITING.labels(name).set(name == service)


def clear() -> None:
    """Clear the gauges: another watcher exports them now."""
    for gauge in (IMAGES, TASKS, WAITING):
        gauge.clear()


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds")
