"""The store of thumbnails: one WebP for each content, whatever its names."""

from __future__ import annotations

import re

import obstore
from obstore.store import ObjectStore

from sightline_bucket import urls
from sightline_bucket.errors import BucketError, ObjectMissing
from sightline_bucket.stores import LazyStore, connect, translated

_SHA256 = re.compile(r"[0-9a-f]{64}")


class ThumbnailStore:
    """Safe to share between threads; the store opens, and a folder is made, on first use, which must be after a fork.

    Every method raises BucketUnavailable where the store cannot be reached, and ValueError for what is no SHA-256.
    """

    def __init__(self, url: str, *, store: ObjectStore | None = None) -> None:
        self._url = url
        self._open = LazyStore(lambda: connect(url), store)

    def put(self, sha256: str, webp: bytes) -> None:
        """Keep a thumbnail; one of the same content is replaced, whole or not at all."""
        path = _path(sha256)
        with translated(self._shown):
            obstore.put(self._open(), path, webp)

    def get(self, sha256: str) -> bytes | None:
        """Return a thumbnail; None if there is none."""
        path = _path(sha256)
        try:
            with translated(self._shown):
                return bytes(obstore.get(self._open(), path).bytes())
        except ObjectMissing:
            return None

    def exists(self, sha256: str) -> bool:
        """Tell whether there is a thumbnail."""
        path = _path(sha256)
        try:
            with translated(self._shown):
                obstore.head(self._open(), path)
        except ObjectMissing:
            return False
        return True

    def delete(self, sha256: str) -> None:
        """Remove a thumbnail, if there is one."""
        path = _path(sha256)
        try:
            with translated(self._shown):
                obstore.delete(self._open(), path)
        except ObjectMissing:
            return

    @property
    def _shown(self) -> str:
        return f"the store of thumbnails {self._url}"


def open_thumbnails(url: str, *, bucket_url: str | None = None) -> ThumbnailStore:
    """Return the store of thumbnails.

    Args:
        url: THUMBNAIL_URL.
        bucket_url: If given, the store may not lie inside that bucket. (The settings check it too.)

    Raises:
        BucketError: The URL is wrong, or lies inside the bucket.
    """
    try:
        urls.check(url)
        inside = bucket_url is not None and urls.is_inside(url, bucket_url)
    except ValueError as error:
        raise BucketError(f"THUMBNAIL_URL={url}: {error}") from error
    if inside:
        raise BucketError(f"THUMBNAIL_URL={url}: thumbnails must lie outside the bucket, {bucket_url}")
    return ThumbnailStore(url)


def _path(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"{sha256!r} is no SHA-256 in lower-case hexadecimal")
    return f"{sha256[:2]}/{sha256}.webp"
