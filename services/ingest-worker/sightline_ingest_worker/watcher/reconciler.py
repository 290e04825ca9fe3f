"""Reconciles the catalogue with the bucket: updates the records of objects, and queues keys for the workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from sightline_bucket import BucketObject
from sightline_bucket.stamps import VERIFY
from sightline_catalogue import FAILED, INDEXED, PENDING, Collection, Filter, Image, image_id
from sightline_service.batches import batched
from sightline_service.clock import SYSTEM_CLOCK, Clock
from sightline_service.queues import QUEUE_BACKFILL

from sightline_ingest_worker.records import first_came, listed_record, refused_record
from sightline_ingest_worker.removal import bring_back
from sightline_ingest_worker.upstream_errors import UPSTREAM_ERRORS
from sightline_ingest_worker.watcher import metrics
from sightline_ingest_worker.watcher.backfill import Backfill
from sightline_ingest_worker.watcher.candidates import Candidates
from sightline_ingest_worker.watcher.diff import QUEUED, Change, RecordState, classify
from sightline_ingest_worker.watcher.task_queue import TaskQueue
from sightline_ingest_worker.watcher.unexpected_errors import UnexpectedErrors

log = structlog.get_logger()

AT_ONCE = 256
"""Objects that are compared, marked and queued in one batch."""
LARGE = 512
"""More keys than that at once go to the backfill queue, behind new files."""
MOST_LISTED = 100_000
"""Pending images of which it is remembered how they were listed last."""
WHENEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """What is to be done about one object.

    Attributes:
        record: The record to write, in place of an existing one.
        mark: The id of a record to mark as pending; it keeps its vector until the object has been read.
        returned: A record whose object was missing, and is there again as it was.
        queue: Whether to queue the object's key for a worker.
        unsettled: Whether it is too early to queue it, since the file may still be being written.
        touched: Whether its bytes are to be compared with those that its record was made of.
    """

    record: Image | None = None
    mark: str | None = None
    returned: Image | None = None
    queue: bool = False
    unsettled: bool = False
    touched: bool = False


@dataclass(frozen=True)
class Reconciled:
    """The outcome of a reconciliation.

    Attributes:
        unsettled: Keys that were not queued, since their files may still be being written.
        touched: Keys that were not queued, since only their bytes can tell whether they changed.
    """

    unsettled: list[str]
    touched: list[str]


class Reconciler:
    """Marks records as pending, then queues their keys: after a crash in between, the next scan finds the marked ones.

    Args:
        bucket_id: BUCKET_ID.
        queue: Where keys are sent.
        quiet_seconds: A file modified less than this ago is not queued yet.
        candidates: Says which objects could be images.
        backfill: Queues what is only marked.
        clock: Tells the time.

    Attributes:
        listed: Sizes and times of modification, by id, of pending images whose records do not have them: of files that
            have changed, or have grown since they were first seen. Some of them are not pending any more.
        unexpected: Errors of single objects that nobody thought of; the loop adds those of its steps.
    """

    def __init__(
        self,
        bucket_id: str,
        queue: TaskQueue,
        quiet_seconds: float,
        candidates: Candidates,
        backfill: Backfill,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._bucket_id = bucket_id
        self._queue = queue
        self._quiet = timedelta(seconds=quiet_seconds)
        self._candidates = candidates
        self._backfill = backfill
        self._clock = clock
        self.listed: dict[str, tuple[int, datetime]] = {}
        self.unexpected = UnexpectedErrors()

    def identify(self, raw_name: bytes) -> str:
        """Return the id of an object's record."""
        return image_id(self._bucket_id, raw_name)

    def identify_key(self, key: str) -> str:
        """Return the id of a key's record."""
        return self.identify(key.encode("utf-8", "surrogateescape"))

    def note_listed(self, seen: BucketObject, known_etag: str | None) -> None:
        """Remember how an object is listed that waits for a worker, where its record does not say so."""
        image_id = self.identify(seen.raw_name)
        self.listed.pop(image_id, None)
        if seen.etag != known_etag:
            if len(self.listed) >= MOST_LISTED:
                del self.listed[next(iter(self.listed))]
            self.listed[image_id] = (seen.size, seen.modified_at)

    def reconcile(
        self,
        collection: Collection,
        objects: Sequence[BucketObject],
        queue: str,
        reason: str,
        *,
        settled: bool = False,
        searched: Collection | None = None,
    ) -> Reconciled:
        """Bring the records of some objects up to date and queue what a worker has to read.

        Args:
            collection: Where the records are.
            objects: Those that could not be images are skipped.
            queue: The queue to send keys to; for QUEUE_BACKFILL they are only marked, and the backfill queues them.
            reason: The label of the metric `queued_total`.
            settled: The files are known not to be being written; else those modified just now are only marked.
            searched: The collection that knows when images first came, while `collection` is being filled.

        Raises:
            BucketUnavailable, CatalogueError, kombu.exceptions.OperationalError: A service does not answer; the call
                may be repeated.
        """
        done = Reconciled([], [])

        def reconcile_some(some: Sequence[BucketObject]) -> None:
            self._reconcile(collection, searched, some, queue, reason, settled, done)

        for some in batched(objects, AT_ONCE):
            self._run_or_note(reconcile_some, some)
        return done

    def _run_or_note(self, run: Callable[[Sequence[BucketObject]], None], objects: Sequence[BucketObject]) -> None:
        """Do something for objects; after an error that nobody thought of, for each alone: it ends only its object."""
        try:
            run(objects)
        except UPSTREAM_ERRORS:
            raise
        except Exception as error:
            if len(objects) == 1:
                self.unexpected.note(error, objects[0].display_name)
                return
            for seen in objects:
                self._run_or_note(run, [seen])

    def _reconcile(
        self,
        collection: Collection,
        searched: Collection | None,
        objects: Sequence[BucketObject],
        queue: str,
        reason: str,
        settled: bool,
        done: Reconciled,
    ) -> None:
        ids = [self.identify(seen.raw_name) for seen in objects]
        records = collection.get(ids, removed=True)
        earlier = searched.get(ids, removed=True) if searched is not None else records
        now = self._clock.now()
        plans = [
            self._plan(seen, known, now, first_came(known or before, now), settled)
            for seen, known, before in zip(objects, records, earlier, strict=True)
        ]
        self._carry_out(collection, objects, plans, queue, reason)
        for seen, plan in zip(objects, plans, strict=True):
            if seen.key is not None and plan.unsettled:
                done.unsettled.append(seen.key)
            if seen.key is not None and plan.touched:
                done.touched.append(seen.key)

    def _plan(self, seen: BucketObject, known: Image | None, now: datetime, added_at: datetime, settled: bool) -> Plan:
        state = None
        if known is not None:
            is_missing = known.missing_since is not None
            state = RecordState(known.etag or "", known.state, known.next_try_at, is_missing, known.stamp or "")
        read_etag = state.read_etag if state is not None else None
        is_candidate = self._candidates.could_be_image(seen, read_etag, has_record=known is not None)
        change = classify(seen, state, WHENEVER if settled else now, could_be_image=is_candidate)
        if change is Change.PENDING or change in QUEUED:
            self.note_listed(seen, seen.etag if known is None else known.etag)
        if change is Change.REFUSED:
            return Plan(record=refused_record(self._bucket_id, seen, added_at))
        if change is Change.PENDING:
            return Plan(unsettled=known is not None and known.next_try_at is not None)
        if change is Change.RETURNED:
            return Plan(returned=known)
        if change is Change.TOUCHED:
            return Plan(touched=True)
        if change not in QUEUED:
            return Plan()
        if not settled and abs(now - seen.modified_at) < self._quiet:
            soon = replace(listed_record(self._bucket_id, seen, added_at), next_try_at=now + self._quiet)
            return Plan(record=soon if known is None else None, unsettled=True)
        if known is None:
            return Plan(record=listed_record(self._bucket_id, seen, added_at), queue=True)
        return Plan(mark=known.id, queue=True)

    def _carry_out(
        self, collection: Collection, objects: Sequence[BucketObject], plans: Sequence[Plan], queue: str, reason: str
    ) -> None:
        records = [plan.record for plan in plans if plan.record is not None]
        marked = [plan.mark for plan in plans if plan.mark is not None]
        keys = [seen.key for seen, plan in zip(objects, plans, strict=True) if plan.queue and seen.key is not None]
        for record in records:
            if record.state == FAILED:
                log.info("image not indexed", key=record.key, state=record.state, reason=record.reason)
        if records:
            collection.upsert(records, None)
        if marked:
            collection.set_state(marked, PENDING)
        bring_back(collection, [plan.returned for plan in plans if plan.returned is not None])
        if keys and queue == QUEUE_BACKFILL:
            self._backfill.note_marked()
        elif keys:
            self._queue.send(keys, queue)
            metrics.QUEUED.labels(reason).inc(len(keys))

    def have_verified(self, collection: Collection, ids: Sequence[str]) -> None:
        """Have the bytes of objects compared with those that their records were made of, at their next look.

        Raises:
            CatalogueError: The catalogue does not answer.
        """
        collection.set_stamp(ids, VERIFY)

    def indexed_among(self, collection: Collection, keys: Sequence[str]) -> list[str]:
        """Return those of some keys whose records are indexed.

        Raises:
            CatalogueError: The catalogue does not answer.
        """
        ids = [self.identify_key(key) for key in keys]
        return [image.key for image in collection.get(ids) if image is not None and image.state == INDEXED]

    def mark_failed_as_due(self, collection: Collection, keys: Sequence[str]) -> None:
        """Mark those of some keys that failed as pending and due.

        Raises:
            CatalogueError: The catalogue does not answer.
        """
        ids = [self.identify_key(key) for key in keys]
        failed = [image.id for image in collection.get(ids) if image is not None and image.state == FAILED]
        if failed:
            collection.set_state(failed, PENDING, next_try_at=self._clock.now())

    def ids_at(self, collections: Sequence[Collection], keys: Sequence[str]) -> list[str]:
        """Return the ids of the records of some keys, and of those below them that are folders.

        Raises:
            CatalogueError: The catalogue does not answer.
        """
        ids = {self.identify_key(key): key for key in keys}
        found = list(ids)
        for collection in collections:
            for some in batched(list(ids), AT_ONCE):
                for one, image in zip(some, collection.get(some, removed=True), strict=True):
                    if image is None:
                        found += [below.id for below in _browse(collection, Filter(folders=(ids[one],)))]
        return list(dict.fromkeys(found))


def _browse(collection: Collection, chosen: Filter) -> Iterator[Image]:
    cursor = None
    while True:
        page = collection.browse(chosen, 1000, cursor)
        yield from page.images
        cursor = page.cursor
        if cursor is None:
            return
