"""Deletes records from the catalogue, and the thumbnails that no other record uses."""

from __future__ import annotations

from collections.abc import Sequence

from sightline_bucket import ThumbnailStore
from sightline_catalogue import Collection


def remove_records(collection: Collection, thumbnails: ThumbnailStore, ids: Sequence[str]) -> int:
    """Delete records, then each thumbnail that only they used; return how many records existed.

    Raises:
        CatalogueError, BucketUnavailable: A service does not answer. The next scan deletes the records that remain; a
            thumbnail may stay, which does no harm.
    """
    known = [image for image in collection.get(ids) if image is not None]
    if not known:
        return 0
    collection.delete([image.id for image in known])
    thumbnails.release((image.sha256 for image in known if image.sha256), collection.by_sha256)
    return len(known)
