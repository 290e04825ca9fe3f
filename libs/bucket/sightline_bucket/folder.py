"""A folder as a bucket. Symbolic links in it are never followed.

Everything below the folder is reached by descriptors, one part of a key after the other, and the file that was checked
is the file that is read. A path that was checked may lead elsewhere by the time that it is opened.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat as modes
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sightline_bucket import descriptors, keys
from sightline_bucket.bucket import Bucket, BucketObject, OpenObject
from sightline_bucket.errors import (
    BucketError,
    BucketUnavailable,
    KeyRefused,
    ObjectExists,
    ObjectMissing,
    ObjectUnreadable,
)
from sightline_bucket.system_errors import EXHAUSTED, explain

LINK = "a symbolic link; Sightline does not follow links"
LINK_ON_THE_WAY = "it or one of its folders is a symbolic link; Sightline does not follow links"
UNREADABLE = "it may not be read by the user that Sightline runs as"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MISSING = (FileNotFoundError, NotADirectoryError)
_GROWTH = 1 << 16
"""Bytes for which there is room at once beyond what a file is said to hold."""


class OpenFile(OpenObject):
    """A file of the bucket, open for reading."""

    def __init__(self, found: BucketObject, descriptor: int, translate: Callable[[str, OSError], BucketError]) -> None:
        super().__init__(found)
        self._descriptor = descriptor
        self._translate = translate

    def read(self, start: int, length: int) -> bytes:
        """Return a part of the file; see `OpenObject.read`."""
        parts: list[bytes] = []
        room = max(self.object.size - start, 0) + 1
        try:
            while length > 0 and (part := os.pread(self._descriptor, min(length, room), start)):
                parts.append(part)
                start, length, room = start + len(part), length - len(part), max(room - len(part), _GROWTH)
        except OSError as error:
            raise self._translate(self.object.display_name, error) from error
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class FolderBucket(Bucket):
    """A folder. Its own path may lead through symbolic links; below it none is followed."""

    def __init__(self, path: bytes, *, writable: bool = False) -> None:
        super().__init__(writable)
        self._path = path

    @property
    def root(self) -> Path:
        """The folder."""
        return Path(os.fsdecode(self._path))

    def list(self, prefix: str | bytes = "") -> Iterator[BucketObject]:
        """Yield every object; see `Bucket.list`."""
        raw = prefix if isinstance(prefix, bytes) else prefix.encode("utf-8", "surrogateescape")
        raw = raw.strip(b"/")
        if any(part in (b"", b".", b"..") for part in raw.split(b"/")) and raw:
            raise KeyRefused(f"{keys.printable(raw)}: a folder is named relative to the bucket, without '.' and '..'")
        with self._open_root() as root:
            if not any(map(keys.is_hidden, raw.split(b"/"))):
                yield from self._walk(root, raw)
            if not os.path.samestat(os.fstat(root), self._check_root()):
                raise BucketUnavailable(f"{self._display_name} became another folder while it was listed")

    def stat(self, key: str) -> BucketObject:
        """Return one object; see `Bucket.stat`."""
        raw = os.fsencode(keys.check(key))
        with self._open_parent(key) as (parent, name):
            return _described(raw, os.stat(name, dir_fd=parent, follow_symlinks=False))

    def open(self, key: str) -> OpenFile:
        """Open an object; see `Bucket.open`."""
        raw = os.fsencode(keys.check(key))
        with self._open_parent(key) as (parent, name), ExitStack() as closing:
            # Before it is opened: that alone may do something to a device.
            found = _described(raw, os.stat(name, dir_fd=parent, follow_symlinks=False))
            if found.problem is None:
                descriptor = os.open(name, descriptors.READ, dir_fd=parent)
                closing.callback(os.close, descriptor)
                # Another file may have come by that name meanwhile.
                found = _described(raw, os.fstat(descriptor))
            if found.problem is not None:
                raise KeyRefused(f"{key}: {found.problem}")
            closing.pop_all()
            return OpenFile(found, descriptor, self._translate)

    def _write(self, key: str, data: bytes) -> None:
        folder, _, name = os.fsencode(key).rpartition(b"/")
        try:
            with self._open_root() as root, descriptors.open_folder(root, folder, create=True) as parent:
                self._write_in(parent, name, data)
        except NotADirectoryError as error:
            raise KeyRefused(f"{key}: a file is in the place of one of its folders") from error
        except FileExistsError as error:
            raise ObjectExists(f"{key} is there already") from error
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise KeyRefused(f"{key}: {LINK_ON_THE_WAY}") from error
            raise BucketUnavailable(f"{self._display_name} cannot be written to: {error.strerror}") from error

    def _write_in(self, parent: int, name: bytes, data: bytes) -> None:
        temporary = f".sightline-{secrets.token_hex(8)}.tmp".encode()
        try:
            with os.fdopen(os.open(temporary, descriptors.CREATE, 0o666, dir_fd=parent), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            descriptors.rename_without_replacing(parent, temporary, name)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=parent)

    def _delete(self, key: str) -> None:
        with self._open_parent(key) as (parent, name):
            if not modes.S_ISREG(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                raise KeyRefused(f"{key}: only files are deleted")
            os.unlink(name, dir_fd=parent)

    def _walk(self, root: int, start: bytes) -> Iterator[BucketObject]:
        """Yield what is below a folder, empty for the bucket's own; its files before its folders."""
        waiting = [start]
        while waiting:
            folder = waiting.pop()
            folders: list[bytes] = []
            try:
                with (
                    descriptors.open_folder(root, folder, descriptors.LIST) as descriptor,
                    os.scandir(descriptor) as entries,
                ):
                    named = ((os.fsencode(entry.name), entry) for entry in entries)
                    visible = sorted(one for one in named if not keys.is_hidden(one[0]))
                    for name, entry in visible:
                        raw = folder + b"/" + name if folder else name
                        with suppress(*_MISSING):
                            found = self._describe_entry(raw, entry)
                            if found is None:
                                folders.append(raw)
                            else:
                                yield found
            except _MISSING:
                # Removed during the listing. If the whole bucket was, the check at the end notices.
                continue
            except OSError as error:
                if error.errno == errno.ELOOP:
                    continue
                if not folder:
                    raise BucketUnavailable(f"{self._display_name} cannot be listed: {error.strerror}") from error
                self._check_answers(error)
                yield _object(folder, 0, 0, f"a folder that cannot be listed: {explain(error)}")
                continue
            for raw in reversed(folders):
                if len(raw) < keys.LONGEST_KEY:
                    waiting.append(raw)
                else:
                    yield _object(raw, 0, 0, keys.TOO_LONG)

    def _describe_entry(self, raw: bytes, entry: os.DirEntry[str]) -> BucketObject | None:
        """Return a listed object; None for a folder."""
        try:
            return None if entry.is_dir(follow_symlinks=False) else _describe(raw, entry.stat(follow_symlinks=False))
        except OSError as error:
            if isinstance(error, _MISSING):
                raise
            self._check_answers(error)
            return _object(raw, 0, 0, f"reading it failed: {explain(error)}")

    def _check_root(self) -> os.stat_result:
        """Return the status of the bucket's folder.

        Raises:
            BucketUnavailable: It does not exist, is not a folder, or may not be read.
        """
        try:
            found = os.stat(self._path)
        except OSError as error:
            why = "is not there" if isinstance(error, _MISSING) else f"cannot be reached ({error.strerror})"
            raise BucketUnavailable(f"{self._display_name} {why}; is its disk mounted? Is BUCKET_URL right?") from error
        if not modes.S_ISDIR(found.st_mode):
            raise BucketUnavailable(f"{self._display_name} is not a folder; BUCKET_URL must name one")
        if not os.access(self._path, os.R_OK | os.X_OK):
            raise BucketUnavailable(f"{self._display_name}: {UNREADABLE}")
        return found

    @contextmanager
    def _open_root(self) -> Iterator[int]:
        """Open the bucket's folder until the block ends.

        Raises:
            BucketUnavailable: See `_check_root`.
        """
        self._check_root()
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise BucketUnavailable(f"{self._display_name} cannot be reached: {error.strerror}") from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _open_parent(self, key: str) -> Iterator[tuple[int, bytes]]:
        """Open the folder of a key until the block ends, and give the name in it.

        Raises:
            BucketError: In place of what the system raised, here or in the block.
        """
        folder, _, name = os.fsencode(key).rpartition(b"/")
        try:
            with self._open_root() as root, descriptors.open_folder(root, folder) as parent:
                yield parent, name
        except OSError as error:
            raise self._translate(key, error) from error

    def _translate(self, key: str, error: OSError) -> BucketError:
        """Return the bucket's own error for an OSError on one object: the whole bucket's if that is out of reach.

        Raises:
            BucketUnavailable: Likewise.
        """
        self._check_root()
        if isinstance(error, _MISSING):
            return ObjectMissing(f"{key} is not there")
        if error.errno == errno.ELOOP:
            return KeyRefused(f"{key}: {LINK_ON_THE_WAY}")
        if error.errno in (errno.ENAMETOOLONG, errno.EROFS):
            return KeyRefused(f"{key}: {error.strerror}")
        self._check_answers(error)
        return ObjectUnreadable(key, f"reading it failed: {explain(error)}")

    def _check_answers(self, error: OSError) -> None:
        """Check that the bucket's folder can be listed, after an error on something in it.

        Raises:
            BucketUnavailable: It cannot, or the error is of this process.
        """
        if error.errno not in EXHAUSTED:
            try:
                with os.scandir(self._path) as entries:
                    next(entries, None)
                return
            except OSError as own:
                error = own
        raise BucketUnavailable(f"{self._display_name} cannot be reached: {error.strerror}") from error

    @property
    def _display_name(self) -> str:
        return f"the bucket {keys.printable(self._path)}"


def _describe(raw: bytes, found: os.stat_result) -> BucketObject | None:
    """Return an object; None for a folder."""
    if modes.S_ISDIR(found.st_mode):
        return None
    problem = None
    if modes.S_ISLNK(found.st_mode):
        problem = LINK
    elif not modes.S_ISREG(found.st_mode):
        problem = "not a file, but a device, pipe or socket"
    return _object(raw, found.st_size, found.st_mtime_ns, problem)


def _described(raw: bytes, status: os.stat_result) -> BucketObject:
    """Return an object.

    Raises:
        ObjectMissing: It is a folder.
    """
    found = _describe(raw, status)
    if found is None:
        raise ObjectMissing(f"{keys.printable(raw)} is a folder")
    return found


def _object(raw: bytes, size: int, modified_ns: int, problem: str | None) -> BucketObject:
    unnameable = keys.problem(raw)
    return BucketObject(
        key=None if unnameable else raw.decode("utf-8"),
        raw_name=raw,
        display_name=keys.printable(raw),
        size=size,
        # Not fromtimestamp: some file systems hold dates that it refuses, and floats lose the microseconds.
        modified_at=_moment(modified_ns),
        etag=f"{size:x}-{modified_ns:x}",
        problem=unnameable or problem,
    )


def _moment(nanoseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return _EPOCH
