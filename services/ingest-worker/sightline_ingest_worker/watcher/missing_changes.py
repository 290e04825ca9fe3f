"""Carries out in the catalogue what becomes of records whose objects are missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sightline_bucket import Bucket, KeyRefused, ObjectMissing, ObjectUnreadable, ThumbnailStore
from sightline_bucket.stamps import is_touched
from sightline_catalogue import FAILED, INDEXED, PENDING, Collection, Image

from sightline_ingest_worker.removal import remove_records
from sightline_ingest_worker.watcher import metrics
from sightline_ingest_worker.watcher.candidates import Candidates

log = structlog.get_logger()


class MissingChanges:
    """Changes the records of missing objects in one collection, or in two while a new model's one is filled.

    `collections` is the one that is filled, then the one that is searched where it is another. Every method raises
    CatalogueError, and some BucketUnavailable, where a service does not answer; the call may be repeated.

    Args:
        bucket: To look whether an object is really gone.
        thumbnails: Those that no record uses any more are deleted.
        keep: For how long removed records are kept.
        candidates: Says which objects could be images.
    """

    def __init__(self, bucket: Bucket, thumbnails: ThumbnailStore, keep: timedelta, candidates: Candidates) -> None:
        self._bucket = bucket
        self._candidates = candidates
        self._thumbnails = thumbnails
        self._keep = keep

    def find_present(self, collections: Sequence[Collection], ids: Sequence[str]) -> set[str]:
        """Return those of some ids whose objects are there after all, and tell the catalogue so.

        An object store is not asked: it has been listed twice.
        """
        if self._bucket.root is None or not ids:
            return set()
        images = [image for collection in collections for image in collection.get(ids, removed=True)]
        present = {image.id for image in images if image is not None and self._is_present(image)}
        if present:
            for collection in collections:
                collection.missing.unmark(sorted(present))
        return present

    def find_unchanged(self, collection: Collection, ids: Sequence[str]) -> set[str]:
        """Return those of some ids whose objects are still what their records say.

        An object store is not asked: it has been listed twice.
        """
        if self._bucket.root is None:
            return set(ids)
        return {image.id for image in collection.get(ids) if image is not None and self._is_unchanged(image)}

    def _is_unchanged(self, image: Image) -> bool:
        try:
            seen = self._bucket.stat(image.key)
            return seen.etag == image.etag and not is_touched(image.stamp, seen.stamp)
        except (ObjectMissing, KeyRefused, ObjectUnreadable):
            return False

    def _is_present(self, image: Image) -> bool:
        if self._bucket.excluded(image.key) is not None:
            return False
        try:
            read_etag = None if image.state == FAILED else image.etag
            return self._candidates.could_be_image(self._bucket.stat(image.key), read_etag, has_record=True)
        except (ObjectMissing, KeyRefused):
            return False
        except ObjectUnreadable:
            # It may well exist.
            return True

    def hold(self, collections: Sequence[Collection], ids: Sequence[str], known: int) -> None:
        """Hold records as part of a suspected loss, of so many images."""
        for collection in collections if ids else ():
            collection.missing.hold(ids, known)

    def return_to_search(self, collections: Sequence[Collection], since: Mapping[str, datetime]) -> None:
        """Return records to search that were removed, though still missing; by id, since when they are."""
        ids_since: dict[datetime, list[str]] = defaultdict(list)
        for image_id, moment in since.items():
            ids_since[moment].append(image_id)
        for collection in collections if since else ():
            collection.set_state(list(since), INDEXED)
            for moment, ids in ids_since.items():
                collection.missing.mark(ids, moment)

    def delete_moved(self, collections: Sequence[Collection], matches: Mapping[str, str]) -> None:
        """Delete records whose bytes other records have.

        Args:
            collections: Where they are.
            matches: The id of the other record, by that of the one to delete.
        """
        if not matches:
            return
        for searched in collections[1:]:
            _copy_moved(collections[0], searched, matches)
        for collection in collections:
            _keep_added(collection, matches)
        self.delete(collections, list(matches))
        metrics.MOVED.inc(len(matches))
        log.info("objects have moved", records=len(matches))

    def remove(self, collections: Sequence[Collection], ids: Sequence[str], now: datetime) -> None:
        """Take records out of search; those without a vector are deleted."""
        if not ids:
            return
        for collection in collections:
            known = [image for image in collection.get(ids) if image is not None]
            kept = [image.id for image in known if image.indexed_at is not None and self._keep]
            if kept:
                collection.missing.remove(kept, now)
            self.delete([collection], sorted({image.id for image in known} - set(kept)), users=collections)
        metrics.DELETED.inc(len(ids))
        log.info("objects are gone", records=len(ids))

    def purge(self, collections: Sequence[Collection], now: datetime) -> None:
        """Delete the records that have been removed for long enough."""
        for collection in collections:
            old = [image.id for image in collection.missing.removed_before(now - self._keep)]
            if old:
                self.delete([collection], old, users=collections)
                log.info("removed records deleted", records=len(old), collection=collection.name)

    def delete(self, collections: Sequence[Collection], ids: Sequence[str], users: Sequence[Collection] = ()) -> int:
        """Delete records from some collections; return how many there were in the one that had the most.

        Args:
            collections: Where they are deleted.
            ids: Of the records.
            users: The collections whose records use the same thumbnails; `collections` where it is empty.
        """
        removed = 0
        for collection in collections:
            others = [user for user in users or collections if user is not collection]
            removed = max(removed, remove_records(collection, self._thumbnails, ids, others))
        return removed


def _copy_moved(filled: Collection, searched: Collection, matches: Mapping[str, str]) -> None:
    """Copy records that moved into the collection that is searched, with the vectors that they had there."""
    new_ids = list(matches.values())
    vectors = searched.rows(list(matches))
    there, images = searched.get(new_ids), filled.get(new_ids)
    chosen = [
        (image, vector)
        for image, vector, known in zip(images, vectors, there, strict=True)
        if image is not None and image.state == INDEXED and vector is not None
        if known is None or known.state == PENDING
    ]
    if chosen:
        searched.upsert([image for image, _ in chosen], [vector for _, vector in chosen])


def _keep_added(collection: Collection, matches: Mapping[str, str]) -> None:
    """Have records that moved say that they came when the ones before them came."""
    moments = {
        matches[image.id]: image.added_at or image.indexed_at
        for image in collection.get(list(matches), removed=True)
        if image is not None
    }
    collection.set_added({one: moment for one, moment in moments.items() if moment is not None})
