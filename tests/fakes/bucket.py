"""A bucket in memory."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from sightline_bucket import (
    Bucket,
    BucketObject,
    KeyRefused,
    ObjectExists,
    ObjectMissing,
    ObjectUnreadable,
    OpenObject,
    keys,
)
from sightline_bucket.left_out import LeftOut
from sightline_bucket.selection import Selection

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class _OpenFake(OpenObject):
    def __init__(self, found: BucketObject, data: bytes, unreadable: str | None) -> None:
        super().__init__(found)
        self._data = data
        self._unreadable = unreadable

    def read(self, start: int, length: int) -> bytes:
        if self._unreadable is not None:
            raise ObjectUnreadable(self.object.display_name, self._unreadable)
        return self._data[start : start + length]

    def close(self) -> None:
        pass


class FakeBucket(Bucket):
    """A bucket in memory.

    Attributes:
        files: Bytes by key.
        modified_at: When objects were last modified, by key; `LONG_AGO` for others.
        problems: Why objects can never be read, by key.
        unreadable: Why objects cannot be read now, by key.
        stamps: What else changes with objects, by key; see `sightline_bucket.stamps`.
        reads: How often each key was read.
        on_read: Called with the key in the middle of a read.
        error: What every call raises.
        is_store: Whether keys are as free as an object store's; else they are as a folder's.
    """

    root = None

    def __init__(self, *, writable: bool = False, selection: Selection | None = None) -> None:
        super().__init__(writable, selection)
        self.files: dict[str, bytes] = {}
        self.modified_at: dict[str, datetime] = {}
        self.problems: dict[str, str] = {}
        self.unreadable: dict[str, str] = {}
        self.stamps: dict[str, str] = {}
        self.reads: Counter[str] = Counter()
        self.on_read: Callable[[str], None] = lambda key: None
        self.error: Exception | None = None
        self.is_store = False

    def put(self, key: str, data: bytes, modified_at: datetime = LONG_AGO) -> None:
        """Store an object, as someone does who writes past Sightline."""
        self.files[key], self.modified_at[key] = data, modified_at

    def etag(self, key: str) -> str:
        """Return what changes when an object does."""
        digest = hashlib.md5(self.files[key], usedforsecurity=False).hexdigest()
        return f"{digest}-{self._modified_at(key).timestamp()}"

    def identity(self) -> None:
        self._check_reachable()

    def list(self, prefix: str | bytes = "", left_out: LeftOut | None = None) -> Iterator[BucketObject]:
        self._check_reachable()
        folder = (prefix.decode() if isinstance(prefix, bytes) else prefix).strip("/")
        if folder:
            keys.check(folder)
        inside = (self._describe(key) for key in sorted(self.files) if not folder or key.startswith(f"{folder}/"))
        yield from self._selected(inside, folder, left_out)

    def stat(self, key: str) -> BucketObject:
        self.check(key)
        self._check_reachable()
        if key not in self.files:
            raise ObjectMissing(f"{key} is not there")
        return self._describe(key)

    def _describe(self, key: str) -> BucketObject:
        size, problem, stamp = len(self.files[key]), self.problems.get(key), self.stamps.get(key, "")
        return BucketObject(key, key.encode(), key, size, self._modified_at(key), self.etag(key), problem, stamp)

    def _check_name(self, key: str) -> str:
        return keys.check_stored(key) if self.is_store else keys.check(key)

    def _exists(self, path: str) -> bool:
        return path in self.files

    def open(self, key: str) -> OpenObject:
        seen = self.stat(key)
        if seen.problem is not None:
            raise KeyRefused(f"{key}: {seen.problem}")
        data = self.files[key]
        self.reads[key] += 1
        self.on_read(key)
        return _OpenFake(seen, data, self.unreadable.get(key))

    def _write(self, key: str, data: bytes) -> None:
        self._check_reachable()
        if key in self.files:
            raise ObjectExists(f"{key} is there already")
        self.put(key, data)

    def _delete(self, key: str) -> None:
        self.stat(key)
        del self.files[key]

    def _modified_at(self, key: str) -> datetime:
        return self.modified_at.get(key, LONG_AGO)

    def _check_reachable(self) -> None:
        if self.error is not None:
            raise self.error
