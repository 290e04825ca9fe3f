"""The interface of a bucket, and the objects that it lists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from sightline_bucket import keys
from sightline_bucket.errors import BucketReadOnly, KeyRefused
from sightline_bucket.left_out import LeftOut
from sightline_bucket.selection import NO_MEDIA, Exclusion, Selection


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
        stamp: See `stamps`; empty where the ETag changes with every change of the bytes.
        is_folder: Whether it is a folder that cannot be listed, or a link to one.
    """

    key: str | None
    raw_name: bytes
    display_name: str
    size: int
    modified_at: datetime
    etag: str
    problem: str | None = None
    stamp: str = ""
    is_folder: bool = False


class OpenObject(ABC):
    """An object that is open for reading. A file is the one that was checked, even if another has its name now.

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
    """A folder or an object store. Safe to share between threads; open it after a fork, not before.

    Attributes:
        reads_one_version: Whether what `read` returns is of one version of the object, even if it changes meanwhile.
    """

    reads_one_version = False

    def __init__(self, writable: bool, selection: Selection | None = None) -> None:
        self.writable = writable
        self.selection = selection or Selection()

    @property
    @abstractmethod
    def root(self) -> Path | None:
        """The bucket's folder; None for an object store."""

    @abstractmethod
    def identity(self) -> Hashable:
        """Return what is another where another folder or disk has come into the bucket's place; None for a store.

        Raises:
            BucketUnavailable: The bucket cannot be reached.
        """

    @abstractmethod
    def list(self, prefix: str | bytes = "", left_out: LeftOut | None = None) -> Iterator[BucketObject]:
        """Yield every object that the bucket's selection takes in, in the order of names within a folder.

        Args:
            prefix: A folder, to list it alone; empty for all. A folder that does not exist yields nothing.
            left_out: Counts the others.

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
        keys.check(key)
        exclusion = self.excluded(key)
        if exclusion is not None:
            raise KeyRefused(f"{key}: {exclusion}")
        self._write(key, data)

    def delete(self, key: str) -> None:
        """Delete an object.

        Raises:
            BucketReadOnly, ObjectMissing, ObjectUnreadable, KeyRefused, BucketUnavailable: See their docstrings.
        """
        self._check_writable()
        self._delete(self.check(key))

    def check(self, key: str) -> str:
        """Return a key, if it is valid and no pattern leaves it out.

        Raises:
            KeyRefused: See `keys.check`; or a pattern leaves it out.
        """
        exclusion = self.selection.key(self._check_name(key).encode())
        if exclusion is not None:
            raise KeyRefused(f"{key}: {exclusion}")
        return key

    def _check_name(self, key: str) -> str:
        """Return the key of an object that may exist; see `keys.check`."""
        return keys.check(key)

    def excluded(self, key: str) -> Exclusion | None:
        """Return why a key is left out: by a pattern, or for a file `.nomedia`, which is looked for; None if it is not.

        Raises:
            BucketUnavailable: See its docstring.
        """
        exclusion = self.selection.key(key.encode("utf-8", "surrogateescape"))
        folder = key.rpartition("/")[0]
        return exclusion or (self.excluded_folder(folder) if folder else None)

    def excluded_folder(self, folder: str) -> Exclusion | None:
        """Return why a folder is left out as a whole; see `excluded`."""
        exclusion = self.selection.folder(folder.encode("utf-8", "surrogateescape"))
        if exclusion is not None or any(part in ("", ".", "..") for part in folder.split("/")):
            return exclusion
        marked = next((one for one in folders_down_to(folder) if self._exists(f"{one}/{NO_MEDIA}")), None)
        return Exclusion(folder=marked, no_media=True) if marked is not None else None

    def _selected(
        self, listing: Iterable[BucketObject], folder: str, left_out: LeftOut | None
    ) -> Iterator[BucketObject]:
        """Yield those objects of a listing of keys, in their order, that the selection takes in.

        Args:
            listing: Everything below a folder.
            folder: The folder; empty for the bucket itself.
            left_out: Counts the others.
        """
        # The folders above the object, each with whether it holds `.nomedia`.
        above = [(one.encode(), self._exists(f"{one}/{NO_MEDIA}")) for one in folders_down_to(folder)]
        marker = NO_MEDIA.encode()
        for seen in listing:
            raw = seen.raw_name
            while above and not raw.startswith(above[-1][0] + b"/"):
                above.pop()
            start = len(above[-1][0]) + 1 if above else 0
            while (end := raw.find(b"/", start)) >= 0:
                inner, first = raw[:end], raw[end + 1 :]
                # This is the first object below the folder: `.nomedia` comes later, is this one, or is not there.
                path = f"{inner.decode('utf-8', 'surrogateescape')}/{NO_MEDIA}"
                is_marked = first == marker if first >= marker else self._exists(path)
                above.append((inner, is_marked))
                start = end + 1
            marked = next((inner for inner, is_marked in above if is_marked), None)
            exclusion = self.selection.key(raw)
            if marked is not None:
                exclusion = Exclusion(folder=marked.decode("utf-8", "replace"), no_media=True)
            if exclusion is None:
                yield seen
            elif left_out is not None and not raw.endswith(b"/" + marker):
                left_out.exclude(exclusion, seen.display_name)

    @abstractmethod
    def _exists(self, path: str) -> bool:
        """Return whether there is a file at a path, which need not be a valid key."""

    @abstractmethod
    def _write(self, key: str, data: bytes) -> None: ...

    @abstractmethod
    def _delete(self, key: str) -> None: ...

    def _check_writable(self) -> None:
        if not self.writable:
            raise BucketReadOnly("the bucket is read-only; set BUCKET_WRITABLE=true to allow changes")


def folders_down_to(folder: str) -> list[str]:
    """Return the path of each folder on the way to a folder, which is the last; none for the bucket itself."""
    parts = folder.split("/") if folder else []
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
