"""Takes records out of the catalogue, and thumbnails that no other record uses."""

from __future__ import annotations

from collections.abc import Sequence

from sightline_bucket import ThumbnailStore
from sightline_catalogue import Collection


def remove_records(collection: Collection, thumbnails: ThumbnailStore, ids: Sequence[str]) -> int:
    """Delete records, then each thumbnail that only they used; returns how many records there were.

    Raises:
        CatalogueError, BucketUnavailable: They do not answer; what is left over is deleted by the next scan, but for a
            thumbnail, which does no harm.
    """
    known = [image for image in collection.get(ids) if image is not None]
    if not known:
        return 0
    collection.delete([image.id for image in known])
    thumbnails.release((image.sha256 for image in known if image.sha256), collection.by_sha256)
    return len(known)
