"""Reconciles the catalogue with the bucket: updates the records of objects, and queues keys for the workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from sightline_bucket import Bucket, BucketObject, KeyRefused, ObjectMissing, ObjectUnreadable, ThumbnailStore
from sightline_catalogue import FAILED, PENDING, Collection, Filter, Image, image_id
from sightline_service.batches import batched
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW

from sightline_ingest_worker.records import listed_record, refused_record
from sightline_ingest_worker.removal import remove_records
from sightline_ingest_worker.watcher import metrics
from sightline_ingest_worker.watcher.diff import QUEUED, Change, RecordState, classify, could_be_image
from sightline_ingest_worker.watcher.task_queue import TaskQueue

log = structlog.get_logger()

AT_ONCE = 256
"""Objects that are compared, marked and queued in one batch."""
LARGE = 512
"""More keys than that at once go to the backfill queue, behind new files."""
WHENEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """What is to be done about one object.

    Attributes:
        record: The record to write, in place of an existing one.
        mark: The id of a record to mark as pending; it keeps its vector until the object has been read.
        queue: Whether to queue the object's key for a worker.
        unsettled: Whether it is too early to queue it, since the file may still be being written.
    """

    record: Image | None = None
    mark: str | None = None
    queue: bool = False
    unsettled: bool = False


@dataclass(frozen=True)
class Reconciled:
    """The outcome of a reconciliation.

    Attributes:
        unsettled: Keys that were not queued, since their files may still be being written.
        new: The number of objects that had no record.
    """

    unsettled: tuple[str, ...] = ()
    new: int = 0


class Reconciler:
    """Marks records as pending, then queues their keys: after a crash in between, the next scan finds the marked ones.

    Args:
        bucket_id: BUCKET_ID.
        bucket: Where the objects are.
        thumbnails: Those that no record uses any more are deleted.
        queue: Where keys are sent.
        quiet_seconds: A file modified less than this ago is not queued yet.
    """

    def __init__(
        self, bucket_id: str, bucket: Bucket, thumbnails: ThumbnailStore, queue: TaskQueue, quiet_seconds: float
    ) -> None:
        self._bucket_id = bucket_id
        self._bucket = bucket
        self._thumbnails = thumbnails
        self._queue = queue
        self._quiet = timedelta(seconds=quiet_seconds)

    def identify(self, raw_name: bytes) -> str:
        """Return the id of an object's record."""
        return image_id(self._bucket_id, raw_name)

    def reconcile(
        self,
        collection: Collection,
        objects: Sequence[BucketObject],
        queue: str,
        reason: str,
        *,
        settled: bool = False,
    ) -> Reconciled:
        """Bring the records of some objects up to date and queue what a worker has to read.

        Args:
            collection: Where the records are.
            objects: Those whose names are not those of images are skipped.
            queue: The queue to send keys to.
            reason: The label of the metric `queued_total`.
            settled: The files are known not to be being written; else those modified just now are only marked.

        Raises:
            CatalogueError, kombu.exceptions.OperationalError: A service does not answer; the call may be repeated.
        """
        unsettled: list[str] = []
        new = 0
        for some in batched([seen for seen in objects if could_be_image(seen)], AT_ONCE):
            records = collection.get([self.identify(seen.raw_name) for seen in some])
            now = datetime.now(UTC)
            plans = [self._plan(seen, known, now, settled) for seen, known in zip(some, records, strict=True)]
            self._carry_out(collection, some, plans, queue, reason)
            unsettled += [seen.key for seen, plan in zip(some, plans, strict=True) if plan.unsettled and seen.key]
            new += records.count(None)
        return Reconciled(tuple(unsettled), new)

    def _plan(self, seen: BucketObject, known: Image | None, now: datetime, settled: bool) -> Plan:
        state = RecordState(known.etag or "", known.state, known.next_try_at) if known is not None else None
        change = classify(seen, state, WHENEVER if settled else now)
        if change is Change.REFUSED:
            return Plan(record=refused_record(self._bucket_id, seen))
        if change is Change.PENDING:
            return Plan(unsettled=known is not None and known.next_try_at is not None)
        if change not in QUEUED:
            return Plan()
        if not settled and abs(now - seen.modified_at) < self._quiet:
            soon = replace(listed_record(self._bucket_id, seen), next_try_at=now + self._quiet)
            return Plan(record=soon if known is None else None, unsettled=True)
        if known is None:
            return Plan(record=listed_record(self._bucket_id, seen), queue=True)
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
        if keys:
            self._queue.send(keys, queue)
            metrics.QUEUED.labels(reason).inc(len(keys))

    def mark_failed_as_due(self, collection: Collection, keys: Sequence[str]) -> None:
        """Mark those of some keys that failed as pending and due.

        Raises:
            CatalogueError: The catalogue does not answer.
        """
        ids = [self.identify(key.encode("utf-8", "surrogateescape")) for key in keys]
        failed = [image.id for image in collection.get(ids) if image is not None and image.state == FAILED]
        if failed:
            collection.set_state(failed, PENDING, next_try_at=datetime.now(UTC))

    def _is_gone(self, image: Image) -> bool:
        """Return whether a record's object no longer exists, or has a name that is not that of an image.

        Raises:
            BucketUnavailable: The bucket does not answer.
        """
        try:
            return not could_be_image(self._bucket.stat(image.key))
        except ObjectMissing:
            return True
        except KeyRefused:
            return True
        except ObjectUnreadable:
            # The object may well exist.
            return False

    def remove(self, collections: Iterable[Collection], ids: Sequence[str]) -> None:
        """Delete the records whose objects are gone, after checking each object.

        Raises:
            BucketUnavailable, CatalogueError: A service does not answer; only records of objects known to be gone have
                been deleted.
        """
        removed = 0
        for collection in collections:
            for some in batched(ids, AT_ONCE):
                gone = [image.id for image in collection.get(some) if image is not None and self._is_gone(image)]
                if gone:
                    removed += remove_records(collection, self._thumbnails, gone)
        if removed:
            metrics.DELETED.inc(removed)
            log.info("objects are gone", records=removed)

    def ids_below(self, collection: Collection, folder: str) -> list[str]:
        """Return the ids of the records below a folder."""
        return [image.id for image in _browse(collection, Filter(folders=(folder,)))]

    def requeue(self, collection: Collection, limit: int) -> int:
        """Queue pending records that are due, at most `limit` of them; return how many.

        Raises:
            CatalogueError, kombu.exceptions.OperationalError: A service does not answer.
        """
        now = datetime.now(UTC)
        due: list[Image] = []
        for image in _browse(collection, Filter(states=(PENDING,))):
            if image.next_try_at is None or image.next_try_at <= now:
                due.append(image)
                if len(due) == limit:
                    break
        timed = [image.id for image in due if image.next_try_at is not None]
        if timed:
            collection.set_state(timed, PENDING)
        if due:
            self._queue.send([image.key for image in due], QUEUE_NEW if len(due) <= LARGE else QUEUE_BACKFILL)
            metrics.QUEUED.labels("requeue").inc(len(due))
        return len(due)


def _browse(collection: Collection, chosen: Filter) -> Iterator[Image]:
    cursor = None
    while True:
        page = collection.browse(chosen, 1000, cursor)
        yield from page.images
        cursor = page.cursor
        if cursor is None:
            return
