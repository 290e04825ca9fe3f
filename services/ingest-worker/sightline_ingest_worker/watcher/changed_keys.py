"""Reconciles keys that file events or hints report as changed, with all that hangs on them."""

from __future__ import annotations

from collections.abc import Sequence

from sightline_bucket import Bucket, BucketObject
from sightline_catalogue import Collection
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW, QUEUE_REREAD

from sightline_ingest_worker.broker import is_full_of_rereads
from sightline_ingest_worker.upstream_errors import UPSTREAM_ERRORS
from sightline_ingest_worker.watcher import metrics
from sightline_ingest_worker.watcher.bucket_lookup import objects_at
from sightline_ingest_worker.watcher.debouncer import Debouncer
from sightline_ingest_worker.watcher.missing_records import MissingRecords
from sightline_ingest_worker.watcher.reconciler import LARGE, Reconciler
from sightline_ingest_worker.watcher.sidecars import pictures_beside
from sightline_ingest_worker.watcher.task_queue import TaskQueue


class ChangedKeys:
    """Reconciles changed keys.

    `collections` are the one that is filled, then the one that is searched where it is another. Every method raises
    BucketUnavailable, CatalogueError, redis.RedisError or kombu.exceptions.OperationalError where a service does not
    answer.

    Args:
        bucket: Where the objects are.
        reconciler: Brings records up to date.
        missing: Decides about records whose objects are missing.
        debouncer: Where keys go whose files may still be being written, or that could not be handled.
        tasks: The queues.
    """

    def __init__(
        self,
        bucket: Bucket,
        reconciler: Reconciler,
        missing: MissingRecords,
        debouncer: Debouncer,
        tasks: TaskQueue,
    ) -> None:
        self._bucket = bucket
        self._reconciler = reconciler
        self._missing = missing
        self._debouncer = debouncer
        self._tasks = tasks

    def handle(
        self,
        collections: Sequence[Collection],
        keys: list[str],
        reason: str,
        *,
        settled: bool,
        are_deleted: bool = False,
    ) -> None:
        """Reconcile changed keys: files, folders with their files, and what is missing.

        Args:
            collections: Where the records are.
            keys: The keys.
            reason: The label of the metric `queued_total`.
            settled: The files are known not to be being written.
            are_deleted: Whether an owner has deleted them.
        """
        try:
            objects: dict[bytes, BucketObject] = {}
            missing: list[str] = []
            for key in keys:
                for seen in objects_at(self._bucket, key, missing):
                    objects[seen.raw_name] = seen
            destination = QUEUE_NEW if len(objects) <= LARGE else QUEUE_BACKFILL
            seen_objects = list(objects.values())
            done = self._reconciler.reconcile(collections[0], seen_objects, destination, reason, settled=settled)
            if done.touched:
                is_urgent = reason == "hint" and len(done.touched) <= LARGE
                self.reread(done.touched, QUEUE_NEW if is_urgent else QUEUE_REREAD)
            self.note_present(collections, seen_objects)
            self._reread_beside(collections[0], keys, seen_objects)
            # After what is new was written: what is missing may be the same file, moved.
            gone = self._reconciler.ids_at(collections, missing) if missing else []
            if are_deleted:
                self._missing.delete(collections, gone)
            else:
                self._missing.mark(collections, gone, is_reported=True)
        except UPSTREAM_ERRORS:
            for key in keys:
                self._debouncer.touch(key)
            raise
        for key in done.unsettled:
            self._debouncer.touch(key)

    def note_present(self, collections: Sequence[Collection], objects: list[BucketObject]) -> None:
        """Note that objects are there, whose records were brought up to date in the collection that is filled."""
        for searched in collections[1:]:
            self._missing.bring_back(searched, objects)
        self._missing.note_present(self._reconciler.identify(seen.raw_name) for seen in objects)

    def reread(self, keys: list[str], destination: str = QUEUE_REREAD) -> None:
        """Have workers compare objects with their records."""
        if destination != QUEUE_REREAD or not is_full_of_rereads(self._tasks.lengths().reread):
            self._tasks.send(keys, destination)
            metrics.QUEUED.labels("reread").inc(len(keys))

    def _reread_beside(self, collection: Collection, keys: list[str], handled: list[BucketObject]) -> None:
        """Have workers look again at the indexed pictures of changed sidecars, but for those just handled."""
        if self._bucket.root is None:
            return
        beside = set(pictures_beside(self._bucket.root, keys)) - {seen.key for seen in handled}
        if indexed := self._reconciler.indexed_among(collection, sorted(beside)):
            self.reread(indexed, QUEUE_NEW if len(indexed) <= LARGE else QUEUE_REREAD)
