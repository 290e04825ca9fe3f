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
from pathlib import Path

from sightline_service.disk_space import ERRNOS

from sightline_bucket import descriptors, keys
from sightline_bucket.bucket import Bucket, BucketObject, OpenObject
from sightline_bucket.errors import (
    BucketError,
    BucketUnavailable,
    KeyRefused,
    ObjectExists,
    ObjectMissing,
    ObjectUnreadable,
    StoreFull,
)
from sightline_bucket.file_objects import describe
from sightline_bucket.file_systems import devices_with_inodes
from sightline_bucket.folder_walk import MISSING, FolderWalk
from sightline_bucket.left_out import LeftOut
from sightline_bucket.selection import Selection
from sightline_bucket.system_errors import explain, out_of_reach

LINK_ON_THE_WAY = "it or one of its folders is a symbolic link; Sightline does not follow links"
UNREADABLE = "it may not be read by the user that Sightline runs as"
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

    def __init__(self, path: bytes, *, writable: bool = False, selection: Selection | None = None) -> None:
        super().__init__(writable, selection)
        self._path = path
        self._with_inodes: frozenset[int] | None = None
        """The devices whose inodes are part of stamps; None before they are looked up."""

    @property
    def root(self) -> Path:
        """The folder."""
        return Path(os.fsdecode(self._path))

    def identity(self) -> tuple[int, int]:
        """Return the device and inode of the folder; see `Bucket.identity`."""
        status = self._check_root()
        return status.st_dev, status.st_ino

    def list(self, prefix: str | bytes = "", left_out: LeftOut | None = None) -> Iterator[BucketObject]:
        """Yield every object; see `Bucket.list`."""
        raw = prefix if isinstance(prefix, bytes) else prefix.encode("utf-8", "surrogateescape")
        raw = raw.strip(b"/")
        if any(part in (b"", b".", b"..") for part in raw.split(b"/")) and raw:
            raise KeyRefused(f"{keys.printable(raw)}: a folder is named relative to the bucket, without '.' and '..'")
        self._with_inodes = inodes = devices_with_inodes(self.root)
        with self._open_root() as root:
            if not raw or self.excluded_folder(os.fsdecode(raw)) is None:
                walk = FolderWalk(root, self._display_name, self.selection, inodes, self._check_answers, left_out)
                yield from walk.objects(raw)
            if not os.path.samestat(os.fstat(root), self._check_root()):
                raise BucketUnavailable(f"{self._display_name} became another folder while it was listed")

    def stat(self, key: str) -> BucketObject:
        """Return one object; see `Bucket.stat`."""
        raw = os.fsencode(self.check(key))
        with self._open_parent(key) as (parent, name):
            return self._described(raw, os.stat(name, dir_fd=parent, follow_symlinks=False))

    def open(self, key: str) -> OpenFile:
        """Open an object; see `Bucket.open`."""
        raw = os.fsencode(self.check(key))
        with self._open_parent(key) as (parent, name), ExitStack() as closing:
            # Checked before it is opened, since opening a device may have effects.
            found = self._described(raw, os.stat(name, dir_fd=parent, follow_symlinks=False))
            if found.problem is None:
                descriptor = os.open(name, descriptors.READ, dir_fd=parent)
                closing.callback(os.close, descriptor)
                # Another file may have come by that name meanwhile.
                found = self._described(raw, os.fstat(descriptor))
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
            if error.errno in ERRNOS:
                raise StoreFull(f"the disk of {self._display_name} is full: {error.strerror}") from error
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

    def _check_root(self) -> os.stat_result:
        """Return the status of the bucket's folder.

        Raises:
            BucketUnavailable: It does not exist, is not a folder, or may not be read.
        """
        try:
            found = os.stat(self._path)
        except OSError as error:
            why = "is not there" if isinstance(error, MISSING) else f"cannot be reached ({error.strerror})"
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
        if isinstance(error, MISSING):
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
        if (cause := out_of_reach(self._path, error)) is not None:
            raise BucketUnavailable(f"{self._display_name} cannot be reached: {cause.strerror}") from cause

    @property
    def _display_name(self) -> str:
        return f"the bucket {keys.printable(self._path)}"

    def _described(self, raw: bytes, status: os.stat_result) -> BucketObject:
        """Return an object.

        Raises:
            ObjectMissing: It is a folder.
        """
        if self._with_inodes is None:
            self._with_inodes = devices_with_inodes(self.root)
        found = describe(raw, status, self._with_inodes)
        if found is None:
            raise ObjectMissing(f"{keys.printable(raw)} is a folder")
        return found

    def _exists(self, path: str) -> bool:
        folder, _, name = os.fsencode(path).rpartition(b"/")
        try:
            with self._open_root() as root, descriptors.open_folder(root, folder) as parent:
                return modes.S_ISREG(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
        except OSError:
            return False
