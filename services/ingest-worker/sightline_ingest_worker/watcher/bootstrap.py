"""Wires the watcher from its settings, and runs it while this process holds the leader lock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

import structlog
from sightline_bucket import ThumbnailStore, open_bucket
from sightline_bucket.file_systems import reports_changes
from sightline_catalogue import Catalogue, exit_if_too_old
from sightline_service import configure_logging
from sightline_service.encoder_client import open_encoder
from sightline_service.metrics import try_to_serve_metrics
from sightline_service.queues import WATCHER_HASH, redis_client
from sightline_service.service_starts import noted_start
from sightline_service.signals import stop_event
from sightline_service.tracing import flush_traces, set_up_tracing

from sightline_ingest_worker.broker import celery_app, trace_tasks
from sightline_ingest_worker.settings import WatcherSettings
from sightline_ingest_worker.target import TargetSource
from sightline_ingest_worker.watcher import metrics
from sightline_ingest_worker.watcher.backfill import Backfill
from sightline_ingest_worker.watcher.candidates import Candidates
from sightline_ingest_worker.watcher.database_check import DatabaseCheck
from sightline_ingest_worker.watcher.file_events import FileEvents
from sightline_ingest_worker.watcher.leader_lock import LeaderLock
from sightline_ingest_worker.watcher.loop import QUIET_SECONDS, Watcher
from sightline_ingest_worker.watcher.missing_plan import LossRule
from sightline_ingest_worker.watcher.missing_records import MissingRecords
from sightline_ingest_worker.watcher.reconciler import Reconciler
from sightline_ingest_worker.watcher.task_queue import TaskQueue

log = structlog.get_logger()


def bootstrap(settings: WatcherSettings, stopping: Callable[[], bool]) -> Watcher:
    """Return a watcher; it connects to nothing before its first step."""
    client = redis_client(settings.queue)
    bucket = open_bucket(settings.bucket)
    catalogue = Catalogue(settings.catalogue, settings.bucket.id)
    tasks = TaskQueue(celery_app(settings.queue), client)
    thumbnails = ThumbnailStore(settings.thumbnails.url, settings.disk.reserve_mb)
    candidates, backfill = Candidates(bucket), Backfill(tasks)
    reconciler = Reconciler(settings.bucket.id, tasks, QUIET_SECONDS, candidates, backfill)
    rule = LossRule(settings.loss_share, settings.loss_least, timedelta(seconds=settings.loss_window_seconds))
    keep = timedelta(days=settings.keep_days)
    return Watcher(
        settings=settings,
        bucket=bucket,
        catalogue=catalogue,
        target=TargetSource(open_encoder(settings.encoder), catalogue),
        reconciler=reconciler,
        missing=MissingRecords(bucket, thumbnails, rule, keep, reconciler, candidates),
        candidates=candidates,
        backfill=backfill,
        tasks=tasks,
        client=client,
        stopping=stopping,
    )


def run(settings: WatcherSettings) -> int:
    """Watch until SIGTERM; return the exit status."""
    configure_logging(settings.log, "watcher")
    exit_if_too_old(settings.catalogue)
    if set_up_tracing(settings.tracing, "watcher"):
        trace_tasks()
    stop = stop_event()
    lock = LeaderLock(redis_client(settings.queue), f"{WATCHER_HASH}:lease")
    try_to_serve_metrics(settings.metrics.address, settings.metrics_port)
    with noted_start(redis_client(settings.queue), "watcher"):
        _lead(settings, lock, stop)
    flush_traces()
    return 0


def _lead(settings: WatcherSettings, lock: LeaderLock, stop: threading.Event) -> None:
    """Watch whenever this process holds the leader lock, until `stop` is set."""
    renewal = threading.Thread(target=lock.keep, args=(stop,), name="leader-lock", daemon=True)
    while lock.wait(stop.wait):
        if renewal.ident is None:
            renewal.start()
        with ExitStack() as leadership:
            watcher = bootstrap(settings, lambda: stop.is_set() or lock.lost)
            leadership.callback(metrics.clear)
            check = DatabaseCheck(Catalogue(settings.catalogue, settings.bucket.id), redis_client(settings.queue))
            check.start()
            leadership.callback(check.stop)
            events = start_events(settings, watcher, leadership)
            log.info("watching", bucket=settings.bucket.url, events=events)
            watcher.run()
        if stop.is_set():
            lock.release()


def start_events(settings: WatcherSettings, watcher: Watcher, ends: ExitStack) -> bool:
    """Subscribe to file events, if the bucket has them and the settings allow it; return whether they are on."""
    root = watcher.root
    if root is None or settings.events == "off":
        return False
    if settings.events == "auto" and not reports_changes(root):
        log.info("the file system does not report changes; the scan finds them", seconds=settings.scan_seconds)
        return False
    events = FileEvents(root, watcher.changed, watcher.request_scan)
    events.start()
    ends.callback(events.stop)
    return True
