"""Keeps the catalogue's states in step with the bucket, and the queue with the states."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog
from sightline_bucket import Bucket, BucketObject, KeyRefused, ObjectMissing, ThumbnailStore
from sightline_catalogue import Collection, Filter, Image, image_id
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW

from sightline_ingest_worker import status
from sightline_ingest_worker.comparison import QUEUED, Known, Verdict, could_be_picture, judge
from sightline_ingest_worker.points import pending_point, refused_point
from sightline_ingest_worker.removal import remove_points
from sightline_ingest_worker.sending import TaskQueue

log = structlog.get_logger()
T = TypeVar("T")

AT_ONCE = 256
"""Objects that are marked and queued together."""
LARGE = 512
"""So many keys are a backfill, and new files go ahead of them."""
WHENEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Entered:
    """What became of objects.

    Attributes:
        unsettled: Keys that were not queued, since they may still be written to; they are pending, or as they were.
        new: Objects that had no point.
    """

    unsettled: list[str] = field(default_factory=list)
    new: int = 0


class Ledger:
    """Marks objects, then queues them: what is marked and not queued is found again, the reverse would be lost.

    Args:
        bucket_id: BUCKET_ID.
        bucket: The truth.
        thumbnails: Those of no point any more are deleted.
        queue: Gets the keys.
        quiet_seconds: A file modified so recently is not queued yet.
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
        """Return the id of an object's point."""
        return image_id(self._bucket_id, raw_name)

    def enter(
        self,
        collection: Collection,
        objects: Sequence[BucketObject],
        queue: str,
        reason: str,
        *,
        settled: bool = False,
    ) -> Entered:
        """Bring the points of some objects up to date and queue what a worker has to read.

        Args:
            collection: Where the points are.
            objects: What is no picture by its name is left out.
            queue: For what is queued.
            reason: For the metrics.
            settled: The objects are known to be left alone; else those modified this moment are marked only.

        Raises:
            CatalogueError, kombu.exceptions.OperationalError: A service is away; doing it again does no harm.
        """
        entered = Entered()
        pictures = [seen for seen in objects if could_be_picture(seen)]
        for part in _parts(pictures, AT_ONCE):
            self._enter_part(collection, part, queue, reason, settled, entered)
        return entered

    def _enter_part(
        self,
        collection: Collection,
        objects: Sequence[BucketObject],
        queue: str,
        reason: str,
        settled: bool,
        entered: Entered,
    ) -> None:
        now = datetime.now(UTC)
        points: list[Image] = []
        marked: list[str] = []
        keys: list[str] = []
        images = collection.get([self.identify(seen.raw_name) for seen in objects])
        for seen, image in zip(objects, images, strict=True):
            known = Known(image.etag or "", image.state, image.next_try_at) if image is not None else None
            entered.new += image is None
            verdict = judge(seen, known, WHENEVER if settled else now)
            if verdict is Verdict.REFUSED:
                points.append(refused_point(self._bucket_id, seen))
                log.info("picture not indexed", key=seen.shown, state="failed", reason=seen.problem)
            if seen.key is None:
                continue
            if verdict is Verdict.PENDING and known is not None and known.next_try_at is not None:
                entered.unsettled.append(seen.key)
            if verdict not in QUEUED:
                continue
            if not settled and abs(now - seen.modified_at) < self._quiet:
                entered.unsettled.append(seen.key)
                if image is None:
                    points.append(pending_point(self._bucket_id, seen, next_try_at=now + self._quiet))
                continue
            keys.append(seen.key)
            if image is None:
                points.append(pending_point(self._bucket_id, seen))
            else:
                marked.append(image.id)
        if points:
            collection.upsert(points, None)
        if marked:
            collection.set_state(marked, "pending", reason=None, next_try_at=None)
        if keys:
            self._queue.send(keys, queue)
            status.QUEUED.labels(reason).inc(len(keys))

    def is_gone(self, image: Image) -> bool:
        """Return whether the object of a point is not there any more, or not as a picture.

        Raises:
            BucketUnavailable: That cannot be told.
        """
        try:
            return not could_be_picture(self._bucket.stat(image.key))
        except ObjectMissing:
            return True
        except KeyRefused as error:
            # Whatever may not be looked at for now may well be there.
            cause = error.__cause__
            return not (isinstance(cause, OSError) and cause.errno in (errno.EACCES, errno.EPERM))

    def remove(self, collections: Iterable[Collection], ids: Sequence[str]) -> int:
        """Delete the points of those objects that are gone, as a look at each object confirms; returns how many.

        Raises:
            BucketUnavailable, CatalogueError: A service is away; nothing is deleted that is not known to be gone.
        """
        removed = 0
        for collection in collections:
            for part in _parts(ids, AT_ONCE):
                gone = [image.id for image in collection.get(part) if image is not None and self.is_gone(image)]
                if gone:
                    removed += remove_points(collection, self._thumbnails, gone)
        if removed:
            status.DELETED.inc(removed)
            log.info("objects are gone", points=removed)
        return removed

    def within(self, collection: Collection, folder: str) -> list[str]:
        """Return the ids of the points below a folder."""
        return [image.id for image in _browse(collection, Filter(folders=(folder,)))]

    def requeue(self, collection: Collection, limit: int) -> int:
        """Queue what is pending and whose time has come, at most `limit` keys; returns how many.

        Raises:
            CatalogueError, kombu.exceptions.OperationalError: A service is away.
        """
        now = datetime.now(UTC)
        due: list[Image] = []
        for image in _browse(collection, Filter(states=("pending",))):
            if image.next_try_at is None or image.next_try_at <= now:
                due.append(image)
                if len(due) == limit:
                    break
        timed = [image.id for image in due if image.next_try_at is not None]
        if timed:
            collection.set_state(timed, "pending", reason=None, next_try_at=None)
        if due:
            self._queue.send([image.key for image in due], QUEUE_NEW if len(due) <= LARGE else QUEUE_BACKFILL)
            status.QUEUED.labels("left over").inc(len(due))
        return len(due)


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _browse(collection: Collection, chosen: Filter) -> Iterator[Image]:
    cursor = None
    while True:
        page = collection.browse(chosen, 1000, cursor)
        yield from page.images
        cursor = page.cursor
        if cursor is None:
            return
