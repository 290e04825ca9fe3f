"""The watcher's loop: file events, hints, scans, deletions and requeues."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import redis
import structlog
from sightline.encoder.client import EncoderError
from sightline_bucket import Bucket, BucketObject
from sightline_catalogue import Catalogue, Collection, NoCollection
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW, WatcherStatus
from sightline_service.request_ids import working_for
from sightline_service.tracing import continued_trace
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential

from sightline_ingest_worker.broker import KEYS_PER_TASK
from sightline_ingest_worker.settings import WatcherSettings
from sightline_ingest_worker.target import Target, TargetSource
from sightline_ingest_worker.upstream_errors import UPSTREAM_ERRORS, service_of
from sightline_ingest_worker.watcher import metrics
from sightline_ingest_worker.watcher.bucket_lookup import objects_at
from sightline_ingest_worker.watcher.debouncer import Debouncer
from sightline_ingest_worker.watcher.hints import Hint, pop_hints, wait_for_hint
from sightline_ingest_worker.watcher.pending_deletions import PendingDeletions
from sightline_ingest_worker.watcher.reconciler import LARGE, Reconciler
from sightline_ingest_worker.watcher.requeue_policy import RequeuePolicy
from sightline_ingest_worker.watcher.scan import QUEUE_TASKS, Scan
from sightline_ingest_worker.watcher.task_queue import TaskQueue

log = structlog.get_logger()

QUIET_SECONDS = 1.0
"""A file is queued once it has not changed for so long."""
CHECK_SECONDS = 2.0
IDLE_CHECK_SECONDS = 10.0
SLICE_SECONDS = 0.5
HINT_SECONDS = 0.5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
MOST_CHANGES = 20_000
"""More changed keys than that at once are left to a scan."""


class Watcher:
    """Keeps the catalogue up to date with the bucket, in one thread; `step` is one pass of its loop.

    Attributes:
        changed: Keys that file events reported; filled by another thread.
    """

    def __init__(
        self,
        *,
        settings: WatcherSettings,
        bucket: Bucket,
        catalogue: Catalogue,
        target: TargetSource,
        reconciler: Reconciler,
        tasks: TaskQueue,
        client: redis.Redis,
        stopping: Callable[[], bool],
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._settings = settings
        self._bucket = bucket
        self._catalogue = catalogue
        self._find_target = target
        self._reconciler = reconciler
        self._tasks = tasks
        self._client = client
        self._stopping = stopping
        self.changed: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.status = WatcherStatus()
        self._debouncer = Debouncer(quiet_seconds)
        self._requeue_policy = RequeuePolicy()
        self._pending_deletions = PendingDeletions()
        self._target: Target | None = None
        self._scan: Scan | None = None
        self._scan_due_at = time.monotonic()
        self._scanned_once = False
        self._check_due_at = 0.0
        self._busy = True
        self._pending: int | None = None
        self._waiting_for = ""

    @property
    def root(self) -> Path | None:
        """The bucket's folder; None for an object store."""
        return self._bucket.root

    def request_scan(self) -> None:
        """Start a scan as soon as possible."""
        self._scan_due_at = time.monotonic()

    def run(self) -> None:
        """Step until `stopping`; wait while a service does not answer."""
        metrics.PAUSE_SECONDS.set(self._settings.scan_seconds)
        metrics.show_waiting("")
        retrying = Retrying(
            retry=retry_if_exception_type(UPSTREAM_ERRORS),
            wait=wait_exponential(FIRST_PAUSE_SECONDS, max=LONGEST_PAUSE_SECONDS),
            stop=lambda _: self._stopping(),
            after=self._note_failure,
            sleep=self._pause,
            retry_error_callback=lambda _: None,
        )
        while not self._stopping():
            retrying(self.step)
            if self._waiting_for and not self._stopping():
                log.info("all services answer again")
                self._waiting_for = ""
                metrics.show_waiting("")
        self._abort_scan()

    def _note_failure(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        name = service_of(error)
        if self._waiting_for != name:
            log.warning("waiting for a service", service=name, error=" ".join(str(error).split())[:300])
            self._waiting_for = name
            metrics.show_waiting(name)
        self._abort_scan()

    def step(self) -> None:
        """Do what is due, for about SLICE_SECONDS, then wait HINT_SECONDS for a hint.

        Raises:
            EncoderError, CatalogueError, BucketUnavailable, redis.RedisError, kombu.exceptions.OperationalError: A
                service does not answer.
        """
        target = self._current_target()
        self._handle_events(target.collection)
        for hint in pop_hints(self._client):
            self._handle_hint(target.collection, hint)
        if quiet := self._debouncer.quiet():
            self._handle(target.collection, quiet, "event", settled=True)
        if self._scan is None and time.monotonic() >= self._scan_due_at:
            self._begin_scan(target)
        if self._scan is not None:
            self._advance_scan(target, self._scan)
        self._carry_out_deletions(target)
        if time.monotonic() >= self._check_due_at:
            self._check_progress(target)
        if self._scan is None:
            for hint in wait_for_hint(self._client, HINT_SECONDS):
                self._handle_hint(target.collection, hint)

    def _current_target(self) -> Target:
        try:
            target = self._find_target()
        except EncoderError:
            # Marking and deleting need no encoder: they go on for the model that it last had.
            if self._target is None:
                raise
            return self._target
        if self._target is None or target.collection.name != self._target.collection.name:
            self._target = target
            self._abort_scan()
            self._scanned_once = False
        if self._active_collection() is None:
            self._activate(target.collection)
        return target

    def _active_collection(self) -> Collection | None:
        """Return the collection that is searched; None before the first is activated."""
        try:
            return self._catalogue.current()
        except NoCollection:
            return None

    def _activate(self, collection: Collection) -> None:
        """Move the alias that searches use to a collection."""
        self._catalogue.activate(collection)
        log.info("collection activated", collection=collection.name)

    def _is_reindexing(self, target: Target) -> bool:
        """Return whether the target is a new collection, not yet the one that is searched."""
        active = self._active_collection()
        return active is not None and active.name != target.collection.name

    def _handle_events(self, collection: Collection) -> None:
        """Handle the keys of file events; those in the debouncer restart their wait."""
        fresh: set[str] = set()
        while True:
            try:
                key = self.changed.get_nowait()
            except queue.Empty:
                break
            if not self._debouncer.touch_again(key):
                fresh.add(key)
            if len(fresh) > MOST_CHANGES:
                fresh.clear()
                self.request_scan()
        if fresh:
            self._handle(collection, sorted(fresh), "event", settled=False)

    def _handle_hint(self, collection: Collection, hint: Hint) -> None:
        if hint.keys is None:
            self.request_scan()
        elif hint.keys:
            with working_for(hint.request_id), continued_trace(hint.trace, "reconcile"):
                if hint.retry:
                    self._reconciler.mark_failed_as_due(collection, hint.keys)
                self._handle(collection, hint.keys, "hint", settled=True)

    def _handle(self, collection: Collection, keys: list[str], reason: str, *, settled: bool) -> None:
        """Reconcile changed keys: files, folders with their files, and what is gone."""
        try:
            objects: dict[bytes, BucketObject] = {}
            missing: list[str] = []
            for key in keys:
                for seen in objects_at(self._bucket, key, missing):
                    objects[seen.raw_name] = seen
            destination = QUEUE_NEW if len(objects) <= LARGE else QUEUE_BACKFILL
            done = self._reconciler.reconcile(collection, list(objects.values()), destination, reason, settled=settled)
            gone = [self._reconciler.identify(key.encode("utf-8", "surrogateescape")) for key in missing]
            for key in missing:
                gone += self._reconciler.ids_below(collection, key)
        except UPSTREAM_ERRORS:
            for key in keys:
                self._debouncer.touch(key)
            raise
        for key in done.unsettled:
            self._debouncer.touch(key)
        # Where other files are new, these may have been moved: their vectors stay until they can be copied.
        self._pending_deletions.add(gone, may_have_moved=done.new > 0)
        self._busy = True
        self._check_due_at = 0.0

    def _begin_scan(self, target: Target) -> None:
        self._scan = Scan(
            bucket=self._bucket,
            collection=target.collection,
            reconciler=self._reconciler,
            tasks=self._tasks,
            debouncer=self._debouncer,
            is_first=not self._scanned_once,
            pause=self._pause,
        )
        self.status.scanning = True
        self._check_due_at = 0.0

    def _advance_scan(self, target: Target, scan: Scan) -> None:
        try:
            is_complete = scan.advance(SLICE_SECONDS)
        except UPSTREAM_ERRORS:
            self._abort_scan()
            raise
        if is_complete:
            self._finish_scan(target, scan)

    def _abort_scan(self) -> None:
        if self._scan is not None:
            self._scan = None
            metrics.SCANS.labels("aborted").inc()
        self.status.scanning = False
        self.request_scan()

    def _finish_scan(self, target: Target, scan: Scan) -> None:
        self._scan = None
        self._pending_deletions.add(scan.missing, may_have_moved=scan.found > 0)
        seconds = scan.seconds
        # A bucket that takes long to list is not listed all the time.
        pause = max(self._settings.scan_seconds, 3 * seconds)
        self._scan_due_at = time.monotonic() + pause
        self._scanned_once = True
        self._busy = self._busy or scan.found > 0
        self.status.scanning = False
        self.status.ignored = scan.ignored
        self.status.last_scan_at = datetime.now(UTC)
        self._check_due_at = 0.0
        metrics.show_scan(seconds, pause, scan.listed)
        if scan.found:
            log.info("scanned", listed=scan.listed, ignored=scan.ignored, found=scan.found, seconds=round(seconds, 2))
        if not scan.found and self._is_reindexing(target) and target.collection.counts().pending == 0:
            self._activate(target.collection)

    def _carry_out_deletions(self, target: Target) -> None:
        """Delete the records of objects that are gone, as far as `PendingDeletions` says that they are due."""
        ids = self._pending_deletions.due(settled=self._pending == 0)
        if not ids:
            return
        active = self._active_collection()
        both = {collection.name: collection for collection in (target.collection, active) if collection is not None}
        self._reconciler.remove(both.values(), ids)
        self._pending_deletions.forget(ids)

    def _check_progress(self, target: Target) -> None:
        """Check the workers' progress, requeue what the queue has lost, and write the status."""
        lengths = self._tasks.lengths()
        counts = target.collection.counts()
        self._pending = pending = counts.pending
        self.status.write(self._client)
        metrics.show(counts, self.status.ignored, lengths)
        if self._scan is None and self._requeue_policy.is_due(pending, lengths):
            count = self._reconciler.requeue(target.collection, QUEUE_TASKS * KEYS_PER_TASK)
            if count:
                self._requeue_policy.requeued()
                log.info("requeued", keys=count)
        if self._scan is None and pending == 0 and self._busy and self._is_reindexing(target):
            self.request_scan()
        self._busy = pending > 0 or lengths.waiting > 0
        self._check_due_at = time.monotonic() + (CHECK_SECONDS if self._busy or self._scan else IDLE_CHECK_SECONDS)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))
