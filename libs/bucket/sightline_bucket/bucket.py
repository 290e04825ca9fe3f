"""The interface of a bucket, and the objects that it lists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from sightline_bucket import keys
from sightline_bucket.errors import BucketReadOnly


@dataclass(frozen=True)
class BucketObject:
    """One object as the listing gives it.

    Attributes:
        key: Relative to the bucket, with `/` between folders; None where the name cannot be a key.
        raw_name: The same in the bytes that the store holds.
        display_name: The same, printable whatever it holds.
        size: In bytes.
        modified_at: Aware, in UTC.
        etag: Changes when the object does: size and modification time on a file system, where an inode may change
            with every mount; the store's own elsewhere.
        problem: Why it can never be read; None if it can.
    """

    key: str | None
    raw_name: bytes
    display_name: str
    size: int
    modified_at: datetime
    etag: str
    problem: str | None = None


class OpenObject(ABC):
    """An object that is open for reading: of files the one that was checked, whatever has its name now.

    A context manager, which closes it.

    Attributes:
        object: As it was when it was opened.
    """

    def __init__(self, found: BucketObject) -> None:
        self.object = found

    @abstractmethod
    def read(self, start: int, length: int) -> bytes:
        """Return the bytes from `start` on, at most `length`: fewer where the object ends.

        Raises:
            ObjectMissing: An object store has another one by that key by now.
            ObjectUnreadable, BucketUnavailable: See their docstrings.
        """

    @abstractmethod
    def close(self) -> None:
        """Close it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Bucket(ABC):
    """A folder or an object store. Safe to share between threads; open it after a fork, not before."""

    def __init__(self, writable: bool) -> None:
        self.writable = writable

    @property
    @abstractmethod
    def root(self) -> Path | None:
        """The bucket's folder; None for an object store."""

    @abstractmethod
    def list(self, prefix: str | bytes = "") -> Iterator[BucketObject]:
        """Yield every object, in the order of names within a folder; hidden ones are left out.

        Args:
            prefix: A folder, to list it alone; empty for all. A folder that does not exist yields nothing.

        Raises:
            KeyRefused: The prefix leaves the bucket.
            BucketUnavailable: Also during a listing or at its end, which is then incomplete: objects that were not
                yielded may exist.
        """

    @abstractmethod
    def stat(self, key: str) -> BucketObject:
        """Return one object; with `problem` set if it exists but can never be read.

        Raises:
            ObjectUnreadable: Whether it exists cannot be told now.
            ObjectMissing, KeyRefused, BucketUnavailable: See their docstrings.
        """

    @abstractmethod
    def open(self, key: str) -> OpenObject:
        """Open an object for reading.

        Raises:
            ObjectMissing, ObjectUnreadable, KeyRefused, BucketUnavailable: See their docstrings.
        """

    def read(self, key: str, max_bytes: int) -> tuple[bytes, BucketObject]:
        """Return an object's bytes, and the object as it was before the read.

        At most `max_bytes` + 1 bytes are read: one more than `max_bytes` means that there are too many.

        Raises:
            ObjectMissing, ObjectUnreadable, KeyRefused, BucketUnavailable: See their docstrings.
        """
        with self.open(key) as opened:
            return opened.read(0, max_bytes + 1), opened.object

    def write(self, key: str, data: bytes) -> None:
        """Create an object, atomically.

        Raises:
            BucketReadOnly, KeyRefused, BucketUnavailable: See their docstrings.
            ObjectExists: There is one of that key, which stays as it is.
        """
        self._check_writable()
        self._write(keys.check(key), data)

    def delete(self, key: str) -> None:
        """Delete an object.

        Raises:
            BucketReadOnly, ObjectMissing, ObjectUnreadable, KeyRefused, BucketUnavailable: See their docstrings.
        """
        self._check_writable()
        self._delete(keys.check(key))

    @abstractmethod
    def _write(self, key: str, data: bytes) -> None: ...

    @abstractmethod
    def _delete(self, key: str) -> None: ...

    def _check_writable(self) -> None:
        if not self.writable:
            raise BucketReadOnly("the bucket is read-only; set BUCKET_WRITABLE=true to allow changes")
