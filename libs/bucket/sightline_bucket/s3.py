"""A bucket in S3 or a compatible store. A key is what the store says it is, whatever it holds."""

from __future__ import annotations

from collections.abc import Iterator

from sightline_bucket import keys
from sightline_bucket.bucket import Bucket, BucketObject, OpenObject
from sightline_bucket.errors import ObjectMissing, ObjectUnreadable
from sightline_bucket.left_out import LeftOut
from sightline_bucket.s3_store import S3Store, StoredObject
from sightline_bucket.selection import Selection


class OpenS3Object(OpenObject):
    """An object of a store; each part is a request of its own, for the same version of it."""

    def __init__(self, store: S3Store, found: StoredObject) -> None:
        super().__init__(_describe(found))
        self._store = store
        self._found = found

    def read(self, start: int, length: int) -> bytes:
        """Return a part of the object; see `OpenObject.read`."""
        found = self._found
        if start >= found.size or length <= 0:
            return b""
        return self._store.get(found.path, length, start, found.etag)[0]

    def close(self) -> None:
        """Do nothing: no connection is held."""


class S3Bucket(Bucket):
    """A bucket of S3, or the part of it that a prefix names; it connects on first use."""

    reads_one_version = True

    def __init__(self, url: str, *, writable: bool = False, selection: Selection | None = None) -> None:
        super().__init__(writable, selection)
        self._store = S3Store(url, f"the bucket {url}")

    @property
    def root(self) -> None:
        """None: an object store reports no file events."""
        return

    def identity(self) -> None:
        """Look whether the store answers; see `Bucket.identity`."""
        self._store.check()

    def list(self, prefix: str | bytes = "", left_out: LeftOut | None = None) -> Iterator[BucketObject]:
        """Yield every object; see `Bucket.list`."""
        folder = (prefix.decode("utf-8", "replace") if isinstance(prefix, bytes) else prefix).strip("/")
        if folder:
            keys.check(folder)
        return self._selected(self._list(f"{folder}/" if folder else ""), folder, left_out)

    def _list(self, prefix: str) -> Iterator[BucketObject]:
        for found in self._store.list(prefix):
            # Consoles mark an empty folder with an empty object.
            if found.path and (found.size > 0 or not found.path.endswith("/")):
                yield _describe(found)

    def _exists(self, path: str) -> bool:
        try:
            self._store.head(path)
        except (ObjectMissing, ObjectUnreadable):
            return False
        return True

    def stat(self, key: str) -> BucketObject:
        """Return one object; see `Bucket.stat`."""
        return _describe(self._store.head(self.check(key)))

    def open(self, key: str) -> OpenS3Object:
        """Open an object; see `Bucket.open`."""
        return OpenS3Object(self._store, self._store.head(self.check(key)))

    def read(self, key: str, max_bytes: int) -> tuple[bytes, BucketObject]:
        """Return an object's bytes, by one request; see `Bucket.read`."""
        data, found = self._store.get(self.check(key), max_bytes + 1)
        return data, _describe(found)

    def _check_name(self, key: str) -> str:
        return keys.check_stored(key)

    def _write(self, key: str, data: bytes) -> None:
        self._store.put(key, data, replace=False)

    def _delete(self, key: str) -> None:
        try:
            self._store.head(key)
        except ObjectMissing:
            raise ObjectMissing(f"{keys.printable(key.encode())} is not there") from None
        self._store.delete(key)


def _describe(found: StoredObject) -> BucketObject:
    raw = found.path.encode()
    return BucketObject(
        key=found.path,
        raw_name=raw,
        display_name=keys.printable(raw),
        size=found.size,
        modified_at=found.modified_at,
        etag=found.etag or f"{found.size:x}-{found.modified_at.timestamp():.0f}",
    )
