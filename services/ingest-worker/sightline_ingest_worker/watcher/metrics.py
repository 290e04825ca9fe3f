"""The watcher's metrics."""

from __future__ import annotations

from dataclasses import asdict

from prometheus_client import Counter, Gauge
from sightline_catalogue import Counts
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW, QUEUE_REREAD, DatabaseStatus

from sightline_ingest_worker.upstream_errors import SERVICES
from sightline_ingest_worker.watcher.task_queue import QueueLengths

SCANS = Counter("sightline_watcher_scans_total", "Scans of the whole bucket: done, or aborted.", ["outcome"])
for _outcome in ("done", "aborted"):
    SCANS.labels(_outcome)
LAST_SCAN = Gauge("sightline_watcher_last_scan_timestamp_seconds", "When the last scan ended; 0 before the first.")
PAUSE_SECONDS = Gauge("sightline_watcher_scan_pause_seconds", "From the beginning of one scan to that of the next.")
SCAN_SECONDS = Gauge("sightline_watcher_scan_seconds", "How long the last scan took.")
LISTED = Gauge("sightline_watcher_listed", "Objects that the last scan listed, ignored ones included.")
QUEUED = Counter("sightline_watcher_queued_total", "Keys queued, by reason.", ["reason"])
for _reason in ("event", "hint", "scan", "backfill", "requeue", "reread", "reader"):
    QUEUED.labels(_reason)
DELETED = Counter(
    "sightline_watcher_deleted_total", "Images taken out of the collection because their objects were gone."
)
MOVED = Counter("sightline_watcher_moved_total", "Images whose objects were found under another key.")
HELD = Gauge("sightline_watcher_held", "Images that are missing, and held since so many are missing at once.")
BUCKET_AWAY = Gauge("sightline_watcher_bucket_away", "1 while the bucket cannot be reached.")
IMAGES = Gauge(
    "sightline_watcher_images",
    "Objects of the bucket by state: pending, indexed, failed, ignored (their names are not those of images).",
    ["state"],
)
TASKS = Gauge(
    "sightline_watcher_queue_tasks",
    "Tasks of up to 32 keys: waiting in the queue new, in backfill, in reread, in progress in a worker.",
    ["queue"],
)
UNEXPECTED_ERRORS = Counter(
    "sightline_watcher_unexpected_errors_total", "Errors that nobody thought of: of one object, or of a whole step."
)
WAITING = Gauge(
    "sightline_watcher_waiting", "1 while the watcher waits for a service that does not answer.", ["service"]
)

DATABASE_NODES = Gauge(
    "sightline_database_nodes", "Nodes of the vector database: alive, dead (they do not answer).", ["state"]
)
DATABASE_SHARDS = Gauge(
    "sightline_database_shards",
    "Shards of all collections: available, unavailable (no copy answers, so that searches fail).",
    ["state"],
)
DATABASE_COPIES = Gauge(
    "sightline_database_copies", "Copies of all shards together: wanted, and alive (they answer).", ["state"]
)
DATABASE_TRANSFERS = Gauge("sightline_database_transfers", "Copies of shards that are being made or moved.")
DATABASE = (DATABASE_NODES, DATABASE_SHARDS, DATABASE_COPIES)


def show(counts: Counts, ignored: int | None, lengths: QueueLengths) -> None:
    """Set the gauges of images by state and of tasks by queue."""
    for state, images in {**asdict(counts), "ignored": ignored}.items():
        if images is not None:
            IMAGES.labels(state).set(images)
    tasks = {
        QUEUE_NEW: lengths.new,
        QUEUE_BACKFILL: lengths.backfill,
        QUEUE_REREAD: lengths.reread,
        "in_progress": lengths.in_progress,
    }
    for queue, count in tasks.items():
        TASKS.labels(queue).set(count)


def show_scan(seconds: float, period_seconds: float, listed: int) -> None:
    """Count a scan that has just ended."""
    SCANS.labels("done").inc()
    SCAN_SECONDS.set(seconds)
    PAUSE_SECONDS.set(period_seconds)
    LAST_SCAN.set_to_current_time()
    LISTED.set(listed)


def show_waiting(service: str) -> None:
    """Set the gauge of the service that does not answer; empty if all answer."""
    for name in SERVICES:
        WAITING.labels(name).set(name == service)


def show_database(status: DatabaseStatus) -> None:
    """Set the gauges of the vector database's nodes."""
    DATABASE_NODES.labels("alive").set(status.nodes_alive)
    DATABASE_NODES.labels("dead").set(status.nodes - status.nodes_alive)
    DATABASE_SHARDS.labels("available").set(status.shards - status.shards_unavailable)
    DATABASE_SHARDS.labels("unavailable").set(status.shards_unavailable)
    DATABASE_COPIES.labels("wanted").set(status.copies_wanted)
    DATABASE_COPIES.labels("alive").set(status.copies_alive)
    DATABASE_TRANSFERS.set(status.transfers)


def clear_database() -> None:
    """Clear the gauges of the vector database's nodes: their state is not known."""
    for gauge in DATABASE:
        gauge.clear()
    DATABASE_TRANSFERS.set(0)


def clear() -> None:
    """Clear the gauges: another watcher exports them now."""
    for gauge in (IMAGES, TASKS, WAITING):
        gauge.clear()
    HELD.set(0)
    BUCKET_AWAY.set(0)
    clear_database()
