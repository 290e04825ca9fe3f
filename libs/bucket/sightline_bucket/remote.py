"""A bucket in an object store: S3 and compatible stores, Google Cloud Storage, Azure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import NotSupportedError
from obstore.store import ObjectStore

from sightline_bucket import keys
from sightline_bucket.bucket import Bucket, BucketObject, OpenObject
from sightline_bucket.errors import KeyRefused, ObjectExists, ObjectMissing
from sightline_bucket.left_out import LeftOut
from sightline_bucket.selection import Selection
from sightline_bucket.stores import LazyStore, bucket_errors, connect

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

_LISTED_AT_ONCE = 1000


class RemoteObject(OpenObject):
    """An object of a store; each part is a request of its own, for the same version of it."""

    def __init__(self, store: ObjectStore, meta: ObjectMeta, bucket: str) -> None:
        super().__init__(_describe(meta))
        self._store = store
        self._meta = meta
        self._bucket = bucket

    def read(self, start: int, length: int) -> bytes:
        """Return a part of the object; see `OpenObject.read`."""
        path, end = self._meta["path"], min(start + length, self._meta["size"])
        if start >= end:
            return b""
        options: GetOptions = {"range": (start, end)}
        if self._meta["e_tag"]:
            options["if_match"] = self._meta["e_tag"]
        with bucket_errors(self._bucket, path):
            return bytes(obstore.get(self._store, path, options=options).bytes())

    def close(self) -> None:
        """Do nothing: no connection is held."""


class RemoteBucket(Bucket):
    """An object store, through obstore; the connection opens on first use."""

    def __init__(
        self, url: str, *, writable: bool = False, selection: Selection | None = None, store: ObjectStore | None = None
    ) -> None:
        super().__init__(writable, selection)
        self._url = url
        self._open = LazyStore(lambda: connect(url), store)

    @property
    def root(self) -> None:
        """None: an object store reports no file events."""
        return

    def identity(self) -> None:
        """Look whether the store answers; see `Bucket.identity`."""
        next(iter(self.list()), None)

    def list(self, prefix: str | bytes = "", left_out: LeftOut | None = None) -> Iterator[BucketObject]:
        """Yield every object; see `Bucket.list`."""
        text = prefix.decode("utf-8", "replace") if isinstance(prefix, bytes) else prefix
        folder = text.strip("/")
        if folder:
            keys.check(folder)
        return self._selected(self._list(folder), folder, left_out)

    def _list(self, folder: str) -> Iterator[BucketObject]:
        with bucket_errors(self._display_name, folder):
            for batch in obstore.list(self._open(), folder or None, chunk_size=_LISTED_AT_ONCE):
                for meta in batch:
                    path = meta["path"]
                    # Consoles mark an empty folder with an empty object.
                    if meta["size"] > 0 or not path.endswith("/"):
                        yield _describe(meta)

    def _exists(self, path: str) -> bool:
        try:
            with bucket_errors(self._display_name, path):
                obstore.head(self._open(), path)
        except (ObjectMissing, KeyRefused):
            return False
        return True

    def stat(self, key: str) -> BucketObject:
        """Return one object; see `Bucket.stat`."""
        with bucket_errors(self._display_name, self.check(key)):
            return _describe(obstore.head(self._open(), key))

    def open(self, key: str) -> RemoteObject:
        """Open an object; see `Bucket.open`."""
        with bucket_errors(self._display_name, self.check(key)):
            return RemoteObject(self._open(), obstore.head(self._open(), key), self._display_name)

    def read(self, key: str, max_bytes: int) -> tuple[bytes, BucketObject]:
        """Return an object's bytes, by one request where they are within the limit; see `Bucket.read`."""
        with bucket_errors(self._display_name, self.check(key)):
            result = obstore.get(self._open(), key)
            if result.meta["size"] <= max_bytes:
                return bytes(result.bytes()), _describe(result.meta)
            opened = RemoteObject(self._open(), result.meta, self._display_name)
            return opened.read(0, max_bytes + 1), opened.object

    def _write(self, key: str, data: bytes) -> None:
        with bucket_errors(self._display_name, key):
            try:
                obstore.put(self._open(), key, data, mode="create")
            except (NotSupportedError, NotImplementedError):
                # A store without conditional writes: two at the same moment may both succeed.
                try:
                    obstore.head(self._open(), key)
                except FileNotFoundError:
                    obstore.put(self._open(), key, data)
                    return
                raise ObjectExists(f"{key} is there already") from None

    def _delete(self, key: str) -> None:
        with bucket_errors(self._display_name, key):
            try:
                obstore.head(self._open(), key)
            except FileNotFoundError:
                raise ObjectMissing(f"{key} is not there") from None
            obstore.delete(self._open(), key)

    @property
    def _display_name(self) -> str:
        return f"the bucket {self._url}"


def _describe(meta: ObjectMeta) -> BucketObject:
    raw = meta["path"].encode()
    wrong = keys.problem(raw)
    modified_at = meta["last_modified"].astimezone(UTC)
    etag = meta["e_tag"] or meta["version"] or f"{meta['size']:x}-{modified_at.timestamp():.6f}"
    return BucketObject(
        key=None if wrong else meta["path"],
        raw_name=raw,
        display_name=keys.printable(raw),
        size=meta["size"],
        modified_at=modified_at,
        etag=etag.strip('"'),
        problem=wrong,
    )
