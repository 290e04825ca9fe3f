"""A scan: compares the whole bucket with a collection, in short steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from sightline_bucket import Bucket, BucketObject
from sightline_catalogue import Collection
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW

from sightline_ingest_worker.watcher.debouncer import Debouncer
from sightline_ingest_worker.watcher.diff import QUEUED, Change, RecordState, diff
from sightline_ingest_worker.watcher.reconciler import AT_ONCE, LARGE, Reconciler
from sightline_ingest_worker.watcher.task_queue import TaskQueue

log = structlog.get_logger()

QUEUE_TASKS = 2000
"""Tasks that may wait in the backfill queue; a scan pauses while there are more."""
FULL_QUEUE_SECONDS = 0.2


@dataclass(kw_only=True)
class Scan:
    """One comparison of the bucket with a collection.

    Attributes:
        tasks: The queue, whose length limits the scan's pace.
        debouncer: Where keys go whose files may still be being written.
        is_first: Send all that is found to the backfill queue, however little.
        pause: Sleeps for some seconds.
        listed: Objects listed so far.
        ignored: Those of them whose names are not those of images.
        found: Those of them that differed from their records.
        missing: Ids of the records whose objects were not listed; set at the end.
    """

    bucket: Bucket
    collection: Collection
    reconciler: Reconciler
    tasks: TaskQueue
    debouncer: Debouncer
    is_first: bool
    pause: Callable[[float], None]
    listed: int = 0
    ignored: int = 0
    found: int = 0
    missing: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        self._steps = self._compare()

    @property
    def seconds(self) -> float:
        """Seconds since the start, pauses included."""
        return time.monotonic() - self._started

    def advance(self, seconds: float) -> bool:
        """Continue for about `seconds`; return whether the scan is complete.

        Raises:
            BucketUnavailable, CatalogueError, redis.RedisError, kombu.exceptions.OperationalError: A service does not
                answer. This scan cannot be continued; start another one later.
        """
        until = time.monotonic() + seconds
        return all(time.monotonic() <= until for _ in self._steps)

    def _compare(self) -> Iterator[None]:
        """Compare; yields often, so that file events are handled in between."""
        began_at = datetime.now(UTC)
        known: dict[str, RecordState] = {}
        for record in self.collection.scan_states():
            known[record.id] = RecordState(record.etag or "", record.state, record.next_try_at)
            if len(known) % 1000 == 0:
                yield
        records = len(known)
        batch: list[BucketObject] = []
        for _, seen, change in diff(self.bucket.list(), known, self.reconciler.identify, began_at):
            self.listed += 1
            if change is Change.IGNORED:
                self.ignored += 1
            elif change in QUEUED or change is Change.REFUSED:
                batch.append(seen)
            if len(batch) == AT_ONCE:
                self._reconcile(batch)
                batch = []
                while self.tasks.lengths().backfill >= QUEUE_TASKS:
                    yield
                    self.pause(FULL_QUEUE_SECONDS)
            if self.listed % 200 == 0:
                yield
        self._reconcile(batch)
        yield
        if known and self._is_plausible(records):
            self.missing = list(known)

    def _reconcile(self, batch: list[BucketObject]) -> None:
        if not batch:
            return
        self.found += len(batch)
        queue = QUEUE_BACKFILL if self.is_first or self.found > LARGE else QUEUE_NEW
        for key in self.reconciler.reconcile(self.collection, batch, queue, "scan").unsettled:
            self.debouncer.touch(key)

    def _is_plausible(self, records: int) -> bool:
        """Return whether records without objects may be deleted: not where the listing of a folder is empty."""
        if self.listed or self.bucket.root is None:
            return True
        log.warning(
            "the bucket's folder is empty; if its disk is not mounted, mount it: nothing is deleted from the catalogue "
            "meanwhile",
            records=records,
        )
        return False
