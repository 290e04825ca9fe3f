"""Wires the watcher."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import ExitStack

import structlog
from sightline_bucket import open_bucket, open_thumbnails
from sightline_catalogue import Catalogue
from sightline_service import configure_logging
from sightline_service.encoder_client import open_encoder
from sightline_service.metrics import try_to_serve_metrics
from sightline_service.queues import WATCHER_HASH, celery_app, redis_client
from sightline_service.signals import stop_event

from sightline_ingest_worker.context import TargetSource
from sightline_ingest_worker.events import FolderEvents, events_arrive
from sightline_ingest_worker.ledger import Ledger
from sightline_ingest_worker.lock import Lease
from sightline_ingest_worker.sending import TaskQueue
from sightline_ingest_worker.settings import WatcherSettings
from sightline_ingest_worker.status import hide
from sightline_ingest_worker.watcher import QUIET_SECONDS, Parts, Watcher

log = structlog.get_logger()


def bootstrap(settings: WatcherSettings, stopping: Callable[[], bool]) -> Watcher:
    """Return a watcher; nothing is reached before its first step."""
    client = redis_client(settings.queue)
    bucket = open_bucket(settings.bucket)
    catalogue = Catalogue(settings.catalogue, settings.bucket.id)
    tasks = TaskQueue(celery_app(settings.queue), client)
    thumbnails = open_thumbnails(settings.thumbnails.url)
    return Watcher(
        Parts(
            settings=settings,
            bucket=bucket,
            catalogue=catalogue,
            target=TargetSource(open_encoder(settings.encoder), catalogue),
            ledger=Ledger(settings.bucket.id, bucket, thumbnails, tasks, QUIET_SECONDS),
            tasks=tasks,
            client=client,
            changed=queue.SimpleQueue(),
            stopping=stopping,
        )
    )


def run(settings: WatcherSettings) -> int:
    """Watch until SIGTERM; returns the exit status."""
    configure_logging(settings.log, "watcher")
    stop = stop_event()
    lease = Lease(redis_client(settings.queue), f"{WATCHER_HASH}:lease")
    with ExitStack() as ends:
        server = try_to_serve_metrics(settings.metrics.address, settings.metrics_port)
        if server is not None:
            ends.callback(server.close)
        keeper = threading.Thread(target=lease.keep, args=(stop,), name="lease", daemon=True)
        while lease.wait(stop.wait):
            if keeper.ident is None:
                keeper.start()
            with ExitStack() as turn:
                watcher = bootstrap(settings, lambda: stop.is_set() or lease.lost)
                turn.callback(hide)
                start_events(settings, watcher, turn)
                log.info("watching", bucket=settings.bucket.url, events=watcher.status.events)
                watcher.run()
            if stop.is_set():
                lease.release()
    return 0


def start_events(settings: WatcherSettings, watcher: Watcher, ends: ExitStack) -> None:
    """Begin to take file events, where the bucket has them and the settings want them."""
    root = watcher.root
    if root is None or settings.events == "off":
        return
    if settings.events == "auto" and not events_arrive(root):
        log.info("the file system does not report changes; the scan finds them", seconds=settings.scan_seconds)
        return
    events = FolderEvents(root, watcher.changed, watcher.request_scan)
    events.start()
    ends.callback(events.stop)
    watcher.status.events = True
