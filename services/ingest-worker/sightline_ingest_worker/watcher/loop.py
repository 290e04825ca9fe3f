"""The watcher's loop: file events, hints, scans, deletions and requeues."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import redis
import structlog
from sightline.encoder.client import EncoderError
from sightline_bucket import Bucket, BucketUnavailable
from sightline_catalogue import Catalogue, Collection, Counts, NoCollection
from sightline_service.clock import SYSTEM_CLOCK, Clock
from sightline_service.full_disks import note_full_disk
from sightline_service.heartbeat import beat
from sightline_service.left_out_report import LeftOutFiles, LeftOutReport
from sightline_service.queues import WatcherStatus
from sightline_service.request_ids import working_for
from sightline_service.tracing import continued_trace
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential

from sightline_ingest_worker.broker import MOST_REREAD, is_full_of_rereads
from sightline_ingest_worker.settings import WatcherSettings
from sightline_ingest_worker.target import Target, TargetSource
from sightline_ingest_worker.upstream_errors import UPSTREAM_ERRORS, full_disk_of, service_of
from sightline_ingest_worker.watcher import metrics
from sightline_ingest_worker.watcher.backfill import Backfill
from sightline_ingest_worker.watcher.bucket_check import BucketCheck
from sightline_ingest_worker.watcher.candidates import Candidates
from sightline_ingest_worker.watcher.changed_keys import ChangedKeys
from sightline_ingest_worker.watcher.debouncer import Debouncer
from sightline_ingest_worker.watcher.hints import Hint, pop_hints, wait_for_hint
from sightline_ingest_worker.watcher.missing_records import MissingRecords
from sightline_ingest_worker.watcher.reconciler import Reconciler
from sightline_ingest_worker.watcher.rereading import Rereading
from sightline_ingest_worker.watcher.scan import Scan
from sightline_ingest_worker.watcher.scan_schedule import ScanSchedule
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
        missing: MissingRecords,
        candidates: Candidates,
        backfill: Backfill,
        tasks: TaskQueue,
        client: redis.Redis,
        stopping: Callable[[], bool],
        quiet_seconds: float = QUIET_SECONDS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._settings = settings
        self._bucket = bucket
        self._catalogue = catalogue
        self._find_target = target
        self._reconciler = reconciler
        self._missing = missing
        self._candidates = candidates
        self._backfill = backfill
        self._tasks = tasks
        self._client = client
        self._stopping = stopping
        self._clock = clock
        self.changed: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.status = WatcherStatus()
        self._debouncer = Debouncer(quiet_seconds, clock.monotonic)
        self._changed_keys = ChangedKeys(bucket, reconciler, missing, self._debouncer, tasks)
        self._bucket_check = BucketCheck(bucket, clock)
        self._rereading = Rereading(tasks, clock.monotonic)
        self._target: Target | None = None
        self._collections: list[Collection] = []
        """The target's collection, and the one that is searched where it is another."""
        self._scan: Scan | None = None
        self._schedule = ScanSchedule(settings.scan_seconds, clock.monotonic)
        self._verify: set[str] = set()
        """Folders of which the next scan has everything read and compared; empty for the whole bucket."""
        self._is_confirming = False
        """Whether the present scan began at once, to see whether what the last one missed is really missing."""
        self._check_due_at = 0.0
        self._busy = True
        self._waiting_for = ""

    @property
    def root(self) -> Path | None:
        """The bucket's folder; None for an object store."""
        return self._bucket.root

    def request_scan(self) -> None:
        """Start a scan as soon as possible; one that is under way may have passed what is meant."""
        self._schedule.request()

    def run(self) -> None:
        """Step until `stopping`; wait while a service does not answer."""
        metrics.PAUSE_SECONDS.set(self._settings.scan_seconds)
        metrics.show_waiting("")
        retrying = Retrying(
            retry=retry_if_exception_type(Exception),
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
                self._show_bucket_problem(None)
        self._abort_scan()

    def _note_failure(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, Exception) and not isinstance(error, UPSTREAM_ERRORS):
            self._note_unexpected(error)
            return
        name = service_of(error)
        if (full := full_disk_of(error)) is not None:
            note_full_disk(self._client, *full)
        if self._waiting_for != name:
            log.warning("waiting for a service", service=name, error=" ".join(str(error).split())[:300])
            self._waiting_for = name
            metrics.show_waiting(name)
        if isinstance(error, BucketUnavailable) and full is None:
            self._show_bucket_problem(error)
        self._abort_scan()

    def _show_bucket_problem(self, error: BucketUnavailable | None) -> None:
        """Say in the status and the metrics why the bucket cannot be reached; None while it can."""
        problem = None if error is None else " ".join(str(error).split())[:500]
        if problem is None or self.status.bucket_problem is None:
            self.status.bucket_problem_since = None if problem is None else self._clock.now()
        self.status.bucket_problem = problem
        metrics.BUCKET_AWAY.set(problem is not None)
        with suppress(redis.RedisError):
            self._report()

    def _report(self) -> None:
        """Write the status; what cannot be written does not count as working.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        self.status.write(self._client)
        beat()

    def _note_unexpected(self, error: Exception) -> None:
        """Tell of an error that nobody thought of, which has ended a step; the loop goes on with the next."""
        self._reconciler.unexpected.note(error, "a scan" if self._scan is not None else "its loop")
        self.status.problem = self._reconciler.unexpected.message
        with suppress(redis.RedisError):
            self._report()
        self._abort_scan()

    def step(self) -> None:
        """Do what is due, for about SLICE_SECONDS, then wait HINT_SECONDS for a hint.

        Raises:
            EncoderError, CatalogueError, BucketUnavailable, redis.RedisError, kombu.exceptions.OperationalError: A
                service does not answer.
        """
        target = self._current_target()
        self._handle_events()
        for hint in pop_hints(self._client):
            self._handle_hint(hint)
        if quiet := self._debouncer.quiet():
            self._handle(quiet, "event", settled=True)
        if self._schedule.is_due:
            self._begin_scan(target)
        if self._scan is not None:
            self._advance_scan(target, self._scan)
        self._missing.step(self._collections)
        if self._missing.held != self.status.held:
            self.status.held = self._missing.held
            self._check_due_at = 0.0
        if self._clock.monotonic() >= self._check_due_at:
            self._check_progress(target)
        is_deriving = self._scan is None and self._derive()
        if self._scan is None and (self._busy or not is_deriving):
            for hint in wait_for_hint(self._client, HINT_SECONDS):
                self._handle_hint(hint)

    def _current_target(self) -> Target:
        try:
            target = self._find_target()
        except EncoderError:
            # Marking and deleting need no encoder: they go on for the model that it last had.
            if self._target is None:
                raise
            return self._target
        searched = self._active_collection()
        if searched is None:
            self._activate(target.collection)
        self._collections = [target.collection]
        if searched is not None and searched.name != target.collection.name:
            self._collections.append(searched)
        if self._target is None or target.collection.name != self._target.collection.name:
            self._missing.load(self._collections)
            self._target = target
            self._abort_scan()
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
        self._collections = [collection]
        log.info("collection activated", collection=collection.name)

    @property
    def _is_reindexing(self) -> bool:
        """Whether the target is a new collection, not yet the one that is searched."""
        return len(self._collections) > 1

    def _handle_events(self) -> None:
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
            self._handle(sorted(fresh), "event", settled=False)

    def _handle_hint(self, hint: Hint) -> None:
        if hint.confirm_loss is not None:
            self._missing.confirm(self._collections, hint.confirm_loss)
        elif hint.keys is None:
            if hint.verify:
                self._verify.add(hint.folder or "")
            self.request_scan()
        elif hint.keys:
            with working_for(hint.request_id), continued_trace(hint.trace, "reconcile"):
                if hint.retry:
                    self._reconciler.mark_failed_as_due(self._collections[0], hint.keys)
                if hint.verify:
                    ids = self._reconciler.ids_at(self._collections[:1], hint.keys)
                    self._reconciler.have_verified(self._collections[0], ids)
                self._handle(hint.keys, "hint", settled=True, are_deleted=hint.deleted)

    def _handle(self, keys: list[str], reason: str, *, settled: bool, are_deleted: bool = False) -> None:
        """Reconcile changed keys; see `ChangedKeys.handle`."""
        self._changed_keys.handle(self._collections, keys, reason, settled=settled, are_deleted=are_deleted)
        self._busy = True
        self._check_due_at = 0.0

    def _begin_scan(self, target: Target) -> None:
        # Those of an earlier scan are still to be found in the queue, or they are done.
        is_waiting = self._tasks.lengths().reread > 0
        self._schedule.begin()
        self._candidates.begin_scan()
        self._scan = Scan(
            bucket=self._bucket,
            collection=target.collection,
            reconciler=self._reconciler,
            candidates=self._candidates,
            debouncer=self._debouncer,
            on_present=lambda objects: self._changed_keys.note_present(self._collections, objects),
            reread=self._changed_keys.reread,
            reread_room=0 if is_waiting else MOST_REREAD,
            searched=self._collections[1] if self._is_reindexing else None,
            verify=frozenset(self._verify),
            began_at=self._clock.now(),
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
        self._schedule.abort()

    def _finish_scan(self, target: Target, scan: Scan) -> None:
        self._scan = None
        self._verify -= scan.verify
        is_news = self._missing.mark(self._collections, scan.missing, is_reported=False)
        self._missing.note_listing(self._collections, scan.began_at, scan.missing, is_empty=scan.is_empty)
        seconds, period = scan.seconds, self._schedule.end(scan.listing_seconds)
        # A file that was moved from a folder not listed yet to one that was is missing in this listing alone.
        self._is_confirming = is_news and not self._is_confirming
        if self._is_confirming:
            self.request_scan()
        self._busy = self._busy or scan.found > 0
        self.status.scanning = False
        self.status.ignored = scan.left_out.count
        self.status.last_scan_at = self._clock.now()
        self.status.problem = self._reconciler.unexpected.message
        # One that is still there comes again with the next scan.
        self._reconciler.unexpected.forget()
        self._check_due_at = 0.0
        metrics.show_scan(seconds, period, scan.listed)
        if scan.found:
            left_out = scan.left_out.count
            log.info("scanned", listed=scan.listed, left_out=left_out, found=scan.found, seconds=round(seconds, 2))
        files = [LeftOutFiles(**asdict(group)) for group in scan.left_out]
        LeftOutReport(scanned_at=self.status.last_scan_at, files=files).write(self._client)
        if not (scan.found or scan.is_empty) and self._is_reindexing and target.collection.counts().pending == 0:
            self._finish_reindexing(target)

    def _finish_reindexing(self, target: Target) -> None:
        """Have the new collection searched, unless missing images, which only the old one can show, would be lost."""
        waiting = self._missing.needed_by(self._collections[1], target.collection)
        if waiting:
            log.info("the new model's collection waits for missing files", missing=waiting)
        else:
            self._activate(target.collection)

    def _check_progress(self, target: Target) -> None:
        """Check the bucket and the workers' progress, go on with the backfill, and write the status."""
        if self._scan is None and self._bucket_check.is_another():
            self.request_scan()
        lengths = self._tasks.lengths()
        counts = target.collection.counts()
        pending = counts.pending
        self._show_model_change(target, counts)
        self._report()
        metrics.show(counts, self.status.ignored, lengths)
        self._backfill.fill(target.collection, pending, lengths)
        if is_full_of_rereads(lengths.reread):
            # Workers leave to it what does not fit.
            self._rereading.begin_again()
        if self._scan is None and pending == 0 and self._busy and self._is_reindexing:
            self.request_scan()
        tasks = lengths.waiting + lengths.reread + lengths.in_progress
        is_idle = self._scan is None and pending == tasks == 0
        if is_idle and self.status.last_scan_at is not None and self._rereading.fill(target.collection):
            lengths = self._tasks.lengths()
        self._busy = pending > 0 or lengths.waiting > 0 or lengths.reread > 0
        pause = CHECK_SECONDS if self._busy or self._scan else IDLE_CHECK_SECONDS
        self._check_due_at = self._clock.monotonic() + pause

    def _derive(self) -> bool:
        """Derive fields of records that an older version wrote, for a moment; return whether there are more.

        Until there are none, filters by these fields are refused: it does not wait for all else to be done.
        """
        return any(collection.derivation.fill(SLICE_SECONDS) for collection in self._collections)

    def _show_model_change(self, target: Target, counts: Counts) -> None:
        """Say in the status how far a new model's collection is, while another one is searched."""
        is_under_way = self._is_reindexing
        self.status.next_model = target.model.id if is_under_way else None
        self.status.next_pending = counts.pending if is_under_way else None
        self.status.next_indexed = counts.indexed if is_under_way else None
        self.status.next_failed = counts.failed if is_under_way else None

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))
