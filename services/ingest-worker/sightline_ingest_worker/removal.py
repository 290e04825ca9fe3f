"""Marks records whose objects are missing or back, and deletes records with the thumbnails that no other one uses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sightline_bucket import ThumbnailStore
from sightline_catalogue import INDEXED, PENDING, REMOVED, Collection, Image
from sightline_service.batches import batched

AT_ONCE = 500


def mark_missing(collection: Collection, thumbnails: ThumbnailStore, ids: Sequence[str], now: datetime) -> list[Image]:
    """Record that the objects of some records are missing; return the records, those that were so before among them.

    What has been indexed stays in search, with the vector that it has; the watcher decides what becomes of it. A record
    that never had a vector and waits for one is deleted.

    Raises:
        CatalogueError: The catalogue does not answer; the call may be repeated.
    """
    missing: list[Image] = []
    for some in batched(ids, AT_ONCE):
        known = [image for image in collection.get(some) if image is not None]
        unread = [image.id for image in known if image.state == PENDING and image.indexed_at is None]
        changed = [image.id for image in known if image.state == PENDING and image.indexed_at is not None]
        new = [image.id for image in known if image.missing_since is None or image.state == PENDING]
        if unread:
            remove_records(collection, thumbnails, unread)
        if changed:
            collection.set_state(changed, INDEXED)
        new = [image_id for image_id in new if image_id not in set(unread)]
        if new:
            collection.missing.mark(new, now)
        missing += [image for image in collection.get(new) if image is not None]
        missing += [image for image in known if image.id not in {*new, *unread}]
    return missing


def bring_back(collection: Collection, images: Sequence[Image]) -> None:
    """Record that the objects of images, which were missing or are removed, are there again, as they were.

    Raises:
        CatalogueError: The catalogue does not answer; the call may be repeated.
    """
    if removed := [image.id for image in images if image.state == REMOVED]:
        collection.set_state(removed, INDEXED)
    if missing := [image.id for image in images if image.state != REMOVED]:
        collection.missing.unmark(missing)


def remove_records(
    collection: Collection, thumbnails: ThumbnailStore, ids: Sequence[str], others: Sequence[Collection] = ()
) -> int:
    """Delete records, then each thumbnail that only they used; return how many records existed.

    Args:
        collection: Where the records are.
        thumbnails: Where their thumbnails are.
        ids: Of the records.
        others: Further collections whose records use the thumbnails.

    Raises:
        CatalogueError, BucketUnavailable: A service does not answer. The next scan deletes the records that remain; a
            thumbnail may stay, which does no harm.
    """
    known = [image for image in collection.get(ids, removed=True) if image is not None]
    if not known:
        return 0
    collection.delete([image.id for image in known])

    def in_use(shas: Sequence[str]) -> set[str]:
        return {sha256 for each in (collection, *others) for sha256 in each.by_sha256(shas)}

    thumbnails.release((image.sha256 for image in known if image.sha256), in_use)
    return len(known)
