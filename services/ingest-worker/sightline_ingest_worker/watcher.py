"""The watcher's loop: events, hints, scans, and what is left over."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import redis
import structlog
from sightline.encoder.client import EncoderError
from sightline_bucket import Bucket, BucketObject
from sightline_catalogue import Catalogue, Collection, NoCollection
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW, RESCAN_LIST

from sightline_ingest_worker import status
from sightline_ingest_worker.away import AWAY, service_of
from sightline_ingest_worker.comparison import QUEUED, Known, Verdict, compare
from sightline_ingest_worker.context import Target, TargetSource
from sightline_ingest_worker.events import Settling
from sightline_ingest_worker.leaving import Leaving
from sightline_ingest_worker.ledger import AT_ONCE, LARGE, Ledger
from sightline_ingest_worker.lookup import objects_at
from sightline_ingest_worker.sending import KEYS_PER_TASK, TaskQueue
from sightline_ingest_worker.settings import WatcherSettings
from sightline_ingest_worker.stuck import Leftovers

log = structlog.get_logger()

QUIET_SECONDS = 1.0
"""A file that changes is queued once it has been left alone for so long."""
STUCK_SECONDS = 10.0
"""Pending pictures are queued again when the queues are empty and their number has not fallen for so long."""
QUEUE_TASKS = 2000
"""Tasks that may wait in the backfill queue; a scan pauses while there are more."""
LOOK_SECONDS = 2.0
IDLE_LOOK_SECONDS = 10.0
SLICE_SECONDS = 0.5
HINT_SECONDS = 0.5
MOST_CHANGES = 20_000
"""More changes than that are left to a scan."""


@dataclass
class Parts:
    """All that the watcher needs, passed in."""

    settings: WatcherSettings
    bucket: Bucket
    catalogue: Catalogue
    target: TargetSource
    ledger: Ledger
    tasks: TaskQueue
    client: redis.Redis
    changed: queue.SimpleQueue[str]
    """Keys of which an event told."""
    stopping: Callable[[], bool]
    quiet_seconds: float = QUIET_SECONDS


class Watcher:
    """Keeps the catalogue in step with the bucket. One thread; `step` does a little of everything."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._bucket = parts.bucket
        self._ledger = parts.ledger
        self.status = status.Status()
        self._settling = Settling(parts.quiet_seconds)
        self._leftovers = Leftovers(STUCK_SECONDS)
        self._leaving = Leaving()
        self._target: Target | None = None
        self._scan: Iterator[None] | None = None
        self._scan_at = time.monotonic()
        self._scanned_once = False
        self._look_at = 0.0
        self._busy = True

    @property
    def root(self) -> Path | None:
        """The bucket's folder, where it is one."""
        return self._bucket.root

    @property
    def changed(self) -> queue.SimpleQueue[str]:
        """Where keys go that an event told of."""
        return self._parts.changed

    def request_scan(self) -> None:
        """Have the whole bucket compared as soon as possible, from the start."""
        self._scan_at = time.monotonic()

    def run(self) -> None:
        """Step until told to stop; services that are away are waited for."""
        pause, said = 0.5, ""
        status.PAUSE_SECONDS.set(self._parts.settings.scan_seconds)
        status.show_waiting("")
        while not self._parts.stopping():
            try:
                self.step()
                if said:
                    log.info("all services answer again")
                    pause, said, self.status.waiting_for = 0.5, "", ""
                    status.show_waiting("")
            except AWAY as error:
                name = service_of(error)
                if said != name:
                    log.warning("waiting for a service", away=name, error=" ".join(str(error).split())[:300])
                    said = self.status.waiting_for = name
                    status.show_waiting(name)
                self._break_off()
                self._pause(pause)
                pause = min(2 * pause, 5.0)
        self._break_off()

    def step(self) -> None:
        """Do what is due, for about half a second at most, then wait for a hint that long.

        Raises:
            EncoderError, CatalogueError, BucketUnavailable, redis.RedisError, kombu.exceptions.OperationalError: A
                service is away. Call again later.
        """
        target = self._find_target()
        self._take_events(target.collection)
        self._take_hints(target.collection)
        quiet = self._settling.quiet()
        if quiet:
            self._handle(target.collection, quiet, "event", settled=True)
        if self._scan is None and time.monotonic() >= self._scan_at:
            self._scan = self._scan_steps(target)
        if self._scan is not None:
            self._advance()
        self._remove_leaving(target)
        if time.monotonic() >= self._look_at:
            self._look(target)
        if self._scan is None:
            self._wait_for_hint(target.collection)

    def _find_target(self) -> Target:
        try:
            target = self._parts.target()
        except EncoderError:
            # Marking and deleting go on without it, for the model that it last had.
            if self._target is None:
                raise
            return self._target
        if self._target is None or target.collection.name != self._target.collection.name:
            self._target = target
            self.status.collection = target.collection.name
            self._break_off()
            self._scanned_once = False
        if self._current() is None:
            self._parts.catalogue.activate(target.collection)
            log.info("searches go to", collection=target.collection.name)
        return target

    def _current(self) -> Collection | None:
        try:
            return self._parts.catalogue.current()
        except NoCollection:
            return None

    def _take_events(self, collection: Collection) -> None:
        """Look at what changed; what changes while it is kept waiting waits longer."""
        fresh: set[str] = set()
        while True:
            try:
                key = self._parts.changed.get_nowait()
            except queue.Empty:
                break
            if not self._settling.touch_again(key):
                fresh.add(key)
            if len(fresh) > MOST_CHANGES:
                fresh.clear()
                self.request_scan()
        if fresh:
            self._handle(collection, sorted(fresh), "event", settled=False)

    def _take_hints(self, collection: Collection) -> None:
        while (message := self._parts.client.rpop(RESCAN_LIST)) is not None:
            self._follow(collection, str(message))

    def _wait_for_hint(self, collection: Collection) -> None:
        answer = self._parts.client.brpop([RESCAN_LIST], timeout=HINT_SECONDS)
        if answer:
            self._follow(collection, str(answer[1]))

    def _follow(self, collection: Collection, message: str) -> None:
        try:
            hint = json.loads(message)
            keys = [str(key) for key in hint.get("keys", [])]
        except (ValueError, AttributeError):
            log.warning("a hint that is none", message=message[:200])
            return
        if "keys" not in hint:
            self.request_scan()
        elif keys:
            self._handle(collection, keys, "hint", settled=True)

    def _handle(self, collection: Collection, keys: list[str], reason: str, *, settled: bool) -> None:
        """Look at what changed: files, folders with all that is in them, and what is gone."""
        try:
            objects: dict[bytes, BucketObject] = {}
            missing: list[str] = []
            for key in keys:
                for seen in objects_at(self._bucket, key, missing):
                    objects[seen.raw_name] = seen
            found = list(objects.values())
            lane = QUEUE_NEW if len(found) <= LARGE else QUEUE_BACKFILL
            entered = self._ledger.enter(collection, found, lane, reason, settled=settled)
            gone = [self._ledger.identify(key.encode("utf-8", "surrogateescape")) for key in missing]
            for key in missing:
                gone += self._ledger.within(collection, key)
        except AWAY:
            for key in keys:
                self._settling.touch(key)
            raise
        for key in entered.unsettled:
            self._settling.touch(key)
        # What goes as something comes may have been moved: its vector is kept until it was taken over.
        self._leaving.add(gone, may_have_moved=entered.new > 0)
        self._busy = True
        self._look_at = 0.0

    def _advance(self) -> None:
        """Go on with the scan for a while."""
        until = time.monotonic() + SLICE_SECONDS
        for _ in self._scan or ():
            if time.monotonic() > until:
                return
        self._scan = None

    def _break_off(self) -> None:
        if self._scan is not None:
            self._scan = None
            status.SCANS.labels("broken off").inc()
        self.status.scanning = False
        self.request_scan()

    def _scan_steps(self, target: Target) -> Iterator[None]:
        """Compare the whole bucket with the collection; yields often, so that events are not kept waiting."""
        collection = target.collection
        started, began_at = time.monotonic(), datetime.now(UTC)
        self._scan_at = started + self._parts.settings.scan_seconds
        self.status.scanning, self.status.scanned = True, 0
        self._look_at = 0.0
        known: dict[str, Known] = {}
        for entry in collection.scan_states():
            known[entry.id] = Known(entry.etag or "", entry.state, entry.next_try_at)
            if len(known) % 1000 == 0:
                yield
        points, ignored, found = len(known), 0, 0
        batch: list[BucketObject] = []
        for _, seen, verdict in compare(self._bucket.list(), known, self._ledger.identify, began_at):
            self.status.scanned += 1
            if verdict is Verdict.IGNORED:
                ignored += 1
            elif verdict in QUEUED or verdict is Verdict.REFUSED:
                batch.append(seen)
            if len(batch) == AT_ONCE:
                found += len(batch)
                self._enter_found(collection, batch, found)
                batch = []
                while self._parts.tasks.lengths().backfill >= QUEUE_TASKS:
                    yield
                    self._pause(0.2)
            if self.status.scanned % 200 == 0:
                yield
        found += len(batch)
        self._enter_found(collection, batch, found)
        yield
        if known and self._is_plausible(points):
            self._leaving.add(known, may_have_moved=found > 0)
        self._finish_scan(target, started, ignored, found)

    def _enter_found(self, collection: Collection, batch: list[BucketObject], found: int) -> None:
        if not batch:
            return
        lane = QUEUE_NEW if self._scanned_once and found <= LARGE else QUEUE_BACKFILL
        for key in self._ledger.enter(collection, batch, lane, "scan").unsettled:
            self._settling.touch(key)
        self._busy = True

    def _is_plausible(self, points: int) -> bool:
        """Return whether a listing may be believed that lacks objects."""
        if self.status.scanned or self._bucket.root is None:
            return True
        log.warning(
            "the bucket's folder is quite empty; if its disk is not mounted, mount it: nothing is taken out of the "
            "catalogue for now",
            points=points,
        )
        return False

    def _finish_scan(self, target: Target, started: float, ignored: int, found: int) -> None:
        seconds = time.monotonic() - started
        # A listing that takes long is not made all the time.
        pause = max(self._parts.settings.scan_seconds, 3 * seconds)
        self._scan_at = time.monotonic() + pause
        self._scanned_once = True
        self.status.scanning = False
        self.status.ignored = ignored
        self.status.last_scan_at = datetime.now(UTC)
        self.status.last_scan_seconds = seconds
        self._look_at = 0.0
        status.SCANS.labels("done").inc()
        status.SCAN_SECONDS.set(seconds)
        status.PAUSE_SECONDS.set(pause)
        status.LAST_SCAN.set_to_current_time()
        status.LISTED.set(self.status.scanned)
        if found:
            log.info("scanned", listed=self.status.scanned, ignored=ignored, found=found, seconds=round(seconds, 2))
        current = self._current()
        is_other = current is not None and current.name != target.collection.name
        if is_other and not found and target.collection.counts().pending == 0:
            self._parts.catalogue.activate(target.collection)
            log.info("searches go to", collection=target.collection.name)

    def _remove_leaving(self, target: Target) -> None:
        """Delete the points of what is gone, once nothing that came with it can be the same file moved."""
        ids = self._leaving.due(settled=self.status.pending == 0)
        if not ids:
            return
        current = self._current()
        both = {collection.name: collection for collection in (target.collection, current) if collection is not None}
        self._ledger.remove(both.values(), ids)
        self._leaving.forget(ids)

    def _look(self, target: Target) -> None:
        """See how far the workers are, queue what is left over, and tell."""
        lengths = self._parts.tasks.lengths()
        counts = target.collection.counts()
        pending = counts.pending
        self.status.queued, self.status.pending = lengths.waiting, pending
        self.status.write(self._parts.client)
        status.show(counts, self.status.ignored, lengths)
        if self._scan is None and self._leftovers.are_due(pending, lengths):
            limit = QUEUE_TASKS * KEYS_PER_TASK
            count = self._ledger.requeue(target.collection, limit)
            if count:
                self._leftovers.queued_again()
                log.info("queued again what was left over", keys=count)
        current = self._current()
        if self._scan is None and pending == 0 and self._busy and current and current.name != target.collection.name:
            self.request_scan()
        self._busy = pending > 0 or lengths.waiting > 0
        self._look_at = time.monotonic() + (LOOK_SECONDS if self._busy or self._scan else IDLE_LOOK_SECONDS)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._parts.stopping() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))
