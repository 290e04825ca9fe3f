"""A scan: compares the whole bucket with a collection, in short steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
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


class Scan:
    """One comparison of the bucket with a collection.

    Args:
        bucket: The bucket to list.
        collection: The collection to update.
        reconciler: Marks and queues the objects that differ.
        tasks: The queue, whose length limits the scan's pace.
        debouncer: Where keys go whose files may still be being written.
        is_first: Send all that is found to the backfill queue, however little.
        pause: Sleeps for some seconds.

    Attributes:
        listed: Objects listed so far.
        ignored: Those of them whose names are not those of images.
        found: Those of them that differed from their records.
        missing: Ids of the records whose objects were not listed; set at the end.
    """

    def __init__(
        self,
        *,
        bucket: Bucket,
        collection: Collection,
        reconciler: Reconciler,
        tasks: TaskQueue,
        debouncer: Debouncer,
        is_first: bool,
        pause: Callable[[float], None],
    ) -> None:
        self._bucket = bucket
        self._collection = collection
        self._reconciler = reconciler
        self._tasks = tasks
        self._debouncer = debouncer
        self._is_first = is_first
        self._pause = pause
        self._started = time.monotonic()
        self.listed = 0
        self.ignored = 0
        self.found = 0
        self.missing: list[str] = []
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
        for record in self._collection.scan_states():
            known[record.id] = RecordState(record.etag or "", record.state, record.next_try_at)
            if len(known) % 1000 == 0:
                yield
        records = len(known)
        batch: list[BucketObject] = []
        for _, seen, change in diff(self._bucket.list(), known, self._reconciler.identify, began_at):
            self.listed += 1
            if change is Change.IGNORED:
                self.ignored += 1
            elif change in QUEUED or change is Change.REFUSED:
                batch.append(seen)
            if len(batch) == AT_ONCE:
                self._reconcile(batch)
                batch = []
                while self._tasks.lengths().backfill >= QUEUE_TASKS:
                    yield
                    self._pause(FULL_QUEUE_SECONDS)
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
        queue = QUEUE_BACKFILL if self._is_first or self.found > LARGE else QUEUE_NEW
        for key in self._reconciler.reconcile(self._collection, batch, queue, "scan").unsettled:
            self._debouncer.touch(key)

    def _is_plausible(self, records: int) -> bool:
        """Return whether records without objects may be deleted: not where the listing of a folder is empty."""
        if self.listed or self._bucket.root is None:
            return True
        log.warning(
            "the bucket's folder is empty; if its disk is not mounted, mount it: nothing is deleted from the catalogue "
            "meanwhile",
            records=records,
        )
        return False
