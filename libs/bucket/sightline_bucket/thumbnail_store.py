"""The store of thumbnails: a WebP for each distinct content of the collection, and of each uploaded map."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

import obstore
from obstore.store import ObjectStore

from sightline_bucket.errors import ObjectMissing
from sightline_bucket.stores import LazyStore, bucket_errors, connect

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAP_ID = re.compile(r"[A-Za-z0-9-]+")


class ThumbnailStore:
    """The thumbnails of one store. Safe to share between threads; it opens on first use, which must be after a fork.

    Thumbnails of an uploaded map lie apart from the collection's, under the map's id: the two share none, so
    that each is deleted without regard to the other.

    Every method raises BucketUnavailable where the store cannot be reached, and ValueError for a malformed SHA-256 or
    map id.
    """

    def __init__(self, url: str, *, store: ObjectStore | None = None) -> None:
        self._url = url
        self._open = LazyStore(lambda: connect(url), store)

    def put(self, sha256: str, webp: bytes, *, map_id: str | None = None) -> None:
        """Store a thumbnail, atomically; one of the same content is replaced."""
        path = _path(sha256, map_id)
        with bucket_errors(self._display_name):
            obstore.put(self._open(), path, webp)

    def get(self, sha256: str, *, map_id: str | None = None) -> bytes | None:
        """Return a thumbnail; None if there is none."""
        path = _path(sha256, map_id)
        try:
            with bucket_errors(self._display_name):
                return bytes(obstore.get(self._open(), path).bytes())
        except ObjectMissing:
            return None

    def exists(self, sha256: str) -> bool:
        """Return whether the collection has a thumbnail."""
        path = _path(sha256, None)
        try:
            with bucket_errors(self._display_name):
                obstore.head(self._open(), path)
        except ObjectMissing:
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
            try:
                with bucket_errors(self._display_name):
                    obstore.delete(self._open(), path)
            except ObjectMissing:
                continue

    @property
    def _display_name(self) -> str:
        return f"the store of thumbnails {self._url}"


def _path(sha256: str, map_id: str | None) -> str:
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"{sha256!r} is not a SHA-256 in lower-case hexadecimal")
    if map_id is None:
        return f"{sha256[:2]}/{sha256}.webp"
    if not _MAP_ID.fullmatch(map_id):
        raise ValueError(f"{map_id!r} is not a map's id")
    return f"maps/{map_id}/{sha256}.webp"
