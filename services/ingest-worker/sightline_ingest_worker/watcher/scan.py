"""A scan: compares the whole bucket with a collection, in short steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sightline_bucket import Bucket, BucketObject
from sightline_bucket.left_out import LeftOut
from sightline_bucket.stamps import changed_at
from sightline_catalogue import INDEXED, PENDING, REMOVED, Collection
from sightline_pictures.metadata import is_sidecar
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW

from sightline_ingest_worker.watcher.candidates import Candidates, other_file
from sightline_ingest_worker.watcher.debouncer import Debouncer
from sightline_ingest_worker.watcher.diff import RECORDED, Change, RecordState, diff
from sightline_ingest_worker.watcher.reconciler import AT_ONCE, LARGE, Reconciler
from sightline_ingest_worker.watcher.sidecars import SidecarComparison

FLUSH_SECONDS = 0.5
"""What is found is recorded, and queued, after so long, however little it is."""


@dataclass(kw_only=True)
class Scan:
    """One comparison of the bucket with a collection.

    It waits for no queue: what is new since the last scan is queued, as far as it is not much, and everything else is
    marked as pending for the backfill. What changed since the first scan of a collection began is new, too.

    Attributes:
        debouncer: Where keys go whose files may still be being written.
        searched: The collection that is searched, where it is another one.
        on_present: Called with objects whose records were changed.
        reread: Called with the keys of objects that are to be compared with their records, or have other sidecars.
        reread_room: How many keys that may be.
        verify: Folders whose objects are to be compared whatever their stamps are; empty for the whole bucket.
        listed: Objects listed so far, without those that the bucket's selection leaves out.
        left_out: What could not be an image, and what the bucket's selection leaves out.
        found: Objects that differed from their records.
        missing: Ids of the records, in either collection, whose objects were not listed; set at the end.
        is_empty: Whether the bucket is a folder that holds nothing, as that of a disk that is not mounted.
        began_at: When it began.
        listing_seconds: How long it has listed, without what was written into the catalogue and what else was done.
    """

    bucket: Bucket
    collection: Collection
    reconciler: Reconciler
    candidates: Candidates
    debouncer: Debouncer
    on_present: Callable[[list[BucketObject]], None]
    reread: Callable[[list[str]], None]
    reread_room: int
    began_at: datetime
    searched: Collection | None = None
    verify: frozenset[str] = frozenset()
    listed: int = 0
    left_out: LeftOut = field(default_factory=LeftOut)
    found: int = 0
    missing: list[str] = field(default_factory=list)
    is_empty: bool = False
    listing_seconds: float = 0.0

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        self._is_first = False
        self._new = 0
        self._batch: list[BucketObject] = []
        self._to_verify: list[str] = []
        self._sidecars = SidecarComparison(self.reread_room)
        self._flushed_at = self._started
        self._steps = self._compare()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def advance(self, seconds: float) -> bool:
        """Continue for about `seconds`; return whether the scan is complete.

        Raises:
            BucketUnavailable, CatalogueError, redis.RedisError, kombu.exceptions.OperationalError: A service does not
                answer. This scan cannot be continued; start another one later.
        """
        began = time.monotonic()
        try:
            return all(time.monotonic() <= began + seconds for _ in self._steps)
        finally:
            self.listing_seconds += time.monotonic() - began

    def _compare(self) -> Iterator[None]:
        """Compare; yields often, so that file events are handled in between."""
        known: dict[str, RecordState] = {}
        for record in self.collection.scan_states():
            is_missing = record.missing_since is not None
            known[record.id] = RecordState(
                record.etag or "", record.state, record.next_try_at, is_missing, record.stamp or "", record.sidecars
            )
            if len(known) % 1000 == 0:
                yield
        self._is_first = not known
        others: set[str] = set()
        for record in self.searched.scan_states() if self.searched is not None else ():
            if record.state != REMOVED:
                others.add(record.id)
            if len(others) % 1000 == 0:
                yield
        listing = self.bucket.list(left_out=self.left_out)
        could_be_image, identify = self.candidates.could_be_image, self.reconciler.identify
        for image_id, seen, change in diff(listing, known, identify, self.began_at, could_be_image, self._note_record):
            self.listed += 1
            if change is not Change.IGNORED:
                others.discard(image_id)
                self._note(image_id, seen, change)
            elif not is_sidecar(seen.display_name):
                self.left_out.add(*other_file(seen), seen.display_name)
            if len(self._batch) >= AT_ONCE:
                self._flush()
            if self.listed % 200 == 0:
                if time.monotonic() - self._flushed_at > FLUSH_SECONDS:
                    self._flush()
                yield
        self._flush()
        self._sidecars.finish()
        if other_sidecars := self._sidecars.changed[: self.reread_room]:
            self.reread(other_sidecars)
        yield
        others.update(image_id for image_id, one in known.items() if one.state != REMOVED)
        self.missing = list(others)
        self.is_empty = self.listed == 0 and self.bucket.root is not None

    def _note_record(self, seen: BucketObject, record: RecordState | None) -> None:
        """Note an object that is an image with a record, or describes one."""
        if record is not None:
            if record.state == PENDING:
                self.reconciler.note_listed(seen, record.etag)
            if record.state == INDEXED and seen.key is not None:
                self._sidecars.add_picture(seen.key, record.sidecars)
        elif is_sidecar(seen.display_name):
            self._sidecars.add_sidecar(seen)

    def _note(self, image_id: str, seen: BucketObject, change: Change) -> None:
        """Note an object whose record, if it has one, is perhaps to be changed."""
        is_compared = change is Change.TOUCHED and self.reread_room > 0
        if self.verify and change in (Change.SAME, Change.TOUCHED) and self._is_to_be_verified(seen):
            self._to_verify.append(image_id)
            is_compared = True
        if change in RECORDED:
            self.found += 1
        if change in RECORDED or is_compared:
            self._batch.append(seen)

    def _is_to_be_verified(self, seen: BucketObject) -> bool:
        key = seen.key or ""
        return any(not folder or key == folder or key.startswith(f"{folder}/") for folder in self.verify)

    def _flush(self) -> None:
        """Bring the records of the batch up to date, and queue what is new."""
        batch, self._batch = self._batch, []
        to_verify, self._to_verify = self._to_verify, []
        self._flushed_at = began = time.monotonic()
        if not batch:
            return
        if to_verify:
            self.reconciler.have_verified(self.collection, to_verify)
        new = [seen for seen in batch if self._is_new(seen)]
        rest = [seen for seen in batch if not self._is_new(seen)]
        self._new += len(new)
        self._reconcile(new, QUEUE_NEW if self._new <= LARGE else QUEUE_BACKFILL)
        self._reconcile(rest, QUEUE_BACKFILL)
        self.on_present(batch)
        self.listing_seconds -= time.monotonic() - began

    def _is_new(self, seen: BucketObject) -> bool:
        """Return whether what is found is new, or changed, and has not just not been seen before."""
        return not self._is_first or changed_at(seen.modified_at, seen.stamp) >= self.began_at

    def _reconcile(self, objects: list[BucketObject], queue: str) -> None:
        if not objects:
            return
        done = self.reconciler.reconcile(self.collection, objects, queue, "scan", searched=self.searched)
        for key in done.unsettled:
            self.debouncer.touch(key)
        touched = done.touched[: self.reread_room]
        if touched:
            self.reread_room -= len(touched)
            self.reread(touched)
