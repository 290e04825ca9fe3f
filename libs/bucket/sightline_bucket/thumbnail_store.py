"""The store of thumbnails: a WebP for each distinct content of the collection, and of each uploaded map."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sightline_service.disk_space import THUMBNAILS, Disk

from sightline_bucket import urls
from sightline_bucket.errors import ObjectMissing, ObjectUnreadable, StoreFull
from sightline_bucket.folder_store import FolderStore

if TYPE_CHECKING:
    from sightline_bucket.s3_store import S3Store

_SHA256 = re.compile(r"[0-9a-f]{64}")
MAX_BYTES = 16 << 20
"""More than any thumbnail has."""
_MAP_ID = re.compile(r"[A-Za-z0-9-]+")


class ThumbnailStore:
    """The thumbnails of one store. Safe to share between threads; it opens on first use, which must be after a fork.

    Thumbnails of an uploaded map lie apart from the collection's, under the map's id: the two share none, so
    that each is deleted without regard to the other.

    Every method raises BucketUnavailable where the store cannot be reached, and ValueError for a malformed SHA-256 or
    map id.

    Args:
        url: Where it is.
        reserve_mb: What is kept free on the disk of a folder, in MB (DISK_RESERVE_MB).

    Attributes:
        disk: The disk of a folder; None for an object store.
    """

    def __init__(self, url: str, reserve_mb: int = 1) -> None:
        name = f"the store of thumbnails {url}"
        folder = urls.folder(url)
        self._store: FolderStore | S3Store
        self.disk: Disk | None = None
        if folder is not None:
            self._store = FolderStore(folder, name)
            self.disk = Disk(THUMBNAILS, Path(os.fsdecode(folder)), reserve_mb)
        else:
            # Not for a folder: botocore costs 30 MB.
            from sightline_bucket.s3_store import S3Store

            self._store = S3Store(url, name)

    def put(self, sha256: str, webp: bytes, *, map_id: str | None = None) -> None:
        """Store a thumbnail, atomically; one of the same content is replaced.

        Raises:
            StoreFull: There is no room for it.
        """
        path = _path(sha256, map_id)
        self.check_room()
        self._store.put(path, webp)

    def check_room(self) -> None:
        """Check that there is room for another thumbnail.

        Raises:
            StoreFull: There is none.
        """
        problem = self.disk.problem() if self.disk is not None else None
        if problem is not None:
            raise StoreFull(f"{problem}; searches go on, and new pictures are indexed once there is room")

    def get(self, sha256: str, *, map_id: str | None = None) -> bytes | None:
        """Return a thumbnail; None if there is none, or it cannot be read, so that it is made again."""
        path = _path(sha256, map_id)
        try:
            return self._store.read(path, MAX_BYTES)
        except (ObjectMissing, ObjectUnreadable):
            return None

    def exists(self, sha256: str) -> bool:
        """Return whether the collection has a thumbnail."""
        path = _path(sha256, None)
        try:
            self._store.head(path)
        except (ObjectMissing, ObjectUnreadable):
            return False
        return True

    def release(self, shas: Iterable[str], in_use: Callable[[Sequence[str]], Collection[str]]) -> None:
        """Delete the collection's thumbnails that are no longer used.

        Args:
            shas: Of contents that something no longer uses.
            in_use: Returns those among some that are still used: `Collection.by_sha256` of the catalogue.
        """
        released = sorted(set(shas))
        if released:
            used = in_use(released)
            self._delete([_path(sha256, None) for sha256 in released if sha256 not in used])

    def release_map(self, map_id: str, shas: Iterable[str]) -> None:
        """Delete an uploaded map's thumbnails."""
        self._delete([_path(sha256, map_id) for sha256 in set(shas)])

    def _delete(self, paths: list[str]) -> None:
        for path in paths:
            # One that cannot be deleted takes room, and does no other harm.
            with suppress(ObjectMissing, ObjectUnreadable):
                self._store.delete(path)


def _path(sha256: str, map_id: str | None) -> str:
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"{sha256!r} is not a SHA-256 in lower-case hexadecimal")
    if map_id is None:
        return f"{sha256[:2]}/{sha256}.webp"
    if not _MAP_ID.fullmatch(map_id):
        raise ValueError(f"{map_id!r} is not a map's id")
    return f"maps/{map_id}/{sha256}.webp"
