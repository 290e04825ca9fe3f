"""A scan: compares the whole bucket with a collection, in short steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sightline_bucket import Bucket, BucketObject
from sightline_catalogue import REMOVED, Collection
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW

from sightline_ingest_worker.watcher.debouncer import Debouncer
from sightline_ingest_worker.watcher.diff import RECORDED, Change, RecordState, diff
from sightline_ingest_worker.watcher.reconciler import AT_ONCE, LARGE, Reconciler
from sightline_ingest_worker.watcher.task_queue import TaskQueue

QUEUE_TASKS = 2000
"""Tasks that may wait in the backfill queue; a scan pauses while there are more."""
FULL_QUEUE_SECONDS = 0.2


@dataclass(kw_only=True)
class Scan:
    """One comparison of the bucket with a collection.

    Attributes:
        tasks: The queue, whose length limits the scan's pace.
        debouncer: Where keys go whose files may still be being written.
        searched: The collection that is searched, where it is another one.
        is_first: Send all that is found to the backfill queue, however little.
        pause: Sleeps for some seconds.
        on_present: Called with objects whose records were changed.
        listed: Objects listed so far.
        ignored: Those of them whose names are not those of images.
        found: Those of them that differed from their records.
        missing: Ids of the records, in either collection, whose objects were not listed; set at the end.
        is_empty: Whether the bucket is a folder that holds nothing, as that of a disk that is not mounted.
        began_at: When it began.
    """

    bucket: Bucket
    collection: Collection
    reconciler: Reconciler
    tasks: TaskQueue
    debouncer: Debouncer
    is_first: bool
    pause: Callable[[float], None]
    on_present: Callable[[list[BucketObject]], None]
    searched: Collection | None = None
    listed: int = 0
    ignored: int = 0
    found: int = 0
    missing: list[str] = field(default_factory=list)
    is_empty: bool = False
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))

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
        known: dict[str, RecordState] = {}
        for record in self.collection.scan_states():
            is_missing = record.missing_since is not None
            known[record.id] = RecordState(record.etag or "", record.state, record.next_try_at, is_missing)
            if len(known) % 1000 == 0:
                yield
        others: set[str] = set()
        for record in self.searched.scan_states() if self.searched is not None else ():
            if record.state != REMOVED:
                others.add(record.id)
            if len(others) % 1000 == 0:
                yield
        batch: list[BucketObject] = []
        for image_id, seen, change in diff(self.bucket.list(), known, self.reconciler.identify, self.began_at):
            self.listed += 1
            if change is Change.IGNORED:
                self.ignored += 1
            else:
                others.discard(image_id)
            if change in RECORDED:
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
        others.update(image_id for image_id, record in known.items() if record.state != REMOVED)
        self.missing = list(others)
        self.is_empty = self.listed == 0 and self.bucket.root is not None

    def _reconcile(self, batch: list[BucketObject]) -> None:
        if not batch:
            return
        self.found += len(batch)
        queue = QUEUE_BACKFILL if self.is_first or self.found > LARGE else QUEUE_NEW
        for key in self.reconciler.reconcile(self.collection, batch, queue, "scan"):
            self.debouncer.touch(key)
        self.on_present(batch)
