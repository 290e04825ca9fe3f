"""A folder as a bucket. Symbolic links in it are never followed."""

from __future__ import annotations

import errno
import os
import secrets
import stat as modes
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import obstore
from obstore.store import LocalStore

from sightline_bucket import keys
from sightline_bucket.bucket import Bucket, BucketObject
from sightline_bucket.errors import BucketUnavailable, KeyRefused, ObjectExists, ObjectMissing
from sightline_bucket.stores import LazyStore, bucket_errors

LINK = "a symbolic link; Sightline does not follow links"
UNREADABLE = "it may not be read by the user that Sightline runs as"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MISSING = (FileNotFoundError, NotADirectoryError)
_FORBIDDEN = (errno.EACCES, errno.EPERM)


class FolderBucket(Bucket):
    """A folder, listed by `os.scandir` in bytes and read through obstore.

    Not listed by obstore: that follows links out of the bucket, and gives up on the whole bucket for one name with a
    line break.
    """

    def __init__(self, path: bytes, *, writable: bool = False) -> None:
        super().__init__(writable)
        self._path = path
        self._open = LazyStore(self._connect)

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
        before = self._check_root()
        if not raw:
            yield from self._walk(b"")
        elif not any(map(keys.is_hidden, raw.split(b"/"))) and not self._has_link(raw):
            yield from self._walk(raw + b"/")
        if self._check_root() != before:
            raise BucketUnavailable(f"{self._display_name} became another folder while it was listed")

    def stat(self, key: str) -> BucketObject:
        """Return one object; see `Bucket.stat`."""
        path = self._locate(keys.check(key))
        try:
            found = _describe(os.fsencode(key), os.lstat(path))
        except OSError as error:
            self._raise(key, error)
        if found is None:
            raise ObjectMissing(f"{key} is a folder")
        if found.problem is None and not os.access(path, os.R_OK):
            return _describe(os.fsencode(key), os.lstat(path), UNREADABLE) or found
        return found

    def read(self, key: str, max_bytes: int) -> tuple[bytes, BucketObject]:
        """Return an object's bytes; see `Bucket.read`."""
        found = self.stat(key)
        if found.problem is not None:
            raise KeyRefused(f"{key}: {found.problem}")
        with bucket_errors(self._display_name, key):
            if found.size <= max_bytes:
                data = bytes(obstore.get(self._open(), key).bytes())[: max_bytes + 1]
            else:
                data = bytes(obstore.get_range(self._open(), key, start=0, length=max_bytes + 1))
        return data, found

    def _write(self, key: str, data: bytes) -> None:
        self._check_root()
        path = self._locate(key)
        parent = os.path.dirname(path)
        temporary = os.path.join(parent, f".sightline-{secrets.token_hex(8)}.tmp".encode())
        try:
            os.makedirs(parent, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise KeyRefused(f"{key}: a file is in the place of one of its folders") from error
        except OSError as error:
            raise BucketUnavailable(f"{self._display_name} cannot be written to: {error.strerror}") from error
        self._locate(key)
        try:
            try:
                with open(temporary, "xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                _rename_without_replacing(temporary, path)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(temporary)
        except FileExistsError as error:
            raise ObjectExists(f"{key} is there already") from error
        except OSError as error:
            raise BucketUnavailable(f"{self._display_name} cannot be written to: {error.strerror}") from error

    def _delete(self, key: str) -> None:
        path = self._locate(key)
        try:
            if not modes.S_ISREG(os.lstat(path).st_mode):
                raise KeyRefused(f"{key}: only files are deleted")
            os.unlink(path)
        except OSError as error:
            self._raise(key, error)

    def _walk(self, start: bytes) -> Iterator[BucketObject]:
        """Yield what is below a folder (`start`: empty, or ending with a slash); its files before its folders."""
        waiting = [start]
        while waiting:
            prefix = waiting.pop()
            folders: list[bytes] = []
            try:
                with os.scandir(os.path.join(self._path, prefix)) as entries:
                    visible = sorted((e for e in entries if not keys.is_hidden(e.name)), key=lambda e: e.name)
                for entry in visible:
                    raw = prefix + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(raw + b"/")
                        continue
                    with suppress(*_MISSING):
                        found = _describe(raw, entry.stat(follow_symlinks=False))
                        if found is not None:
                            yield found
            except _MISSING:
                # Removed during the listing. If the whole bucket was, the check at the end notices.
                continue
            except OSError as error:
                if error.errno in (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG) and prefix:
                    yield _object(prefix.rstrip(b"/"), 0, 0, f"a folder that cannot be listed: {error.strerror}")
                    continue
                raise BucketUnavailable(f"{self._display_name} cannot be listed: {error.strerror}") from error
            waiting.extend(reversed(folders))

    def _check_root(self) -> tuple[int, int]:
        """Return the device and the inode of the bucket's folder.

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
        return found.st_dev, found.st_ino

    def _locate(self, key: str) -> bytes:
        """Return the path of a key.

        Raises:
            KeyRefused: One of its folders is a symbolic link.
        """
        raw = os.fsencode(key)
        if self._has_link(os.path.dirname(raw)):
            raise KeyRefused(f"{key}: one of its folders is a symbolic link; Sightline does not follow links")
        return os.path.join(self._path, raw)

    def _has_link(self, raw: bytes) -> bool:
        """Return whether the resolved path of a folder is another one than its plain path in the resolved bucket."""
        if not raw:
            return False
        return os.path.realpath(os.path.join(self._path, raw)) != os.path.join(os.path.realpath(self._path), raw)

    def _connect(self) -> LocalStore:
        self._check_root()
        return LocalStore(prefix=self.root)

    def _raise(self, key: str, error: OSError) -> NoReturn:
        """Raise the bucket's own error for an OSError on one object, or on the whole bucket."""
        self._check_root()
        if isinstance(error, _MISSING):
            raise ObjectMissing(f"{key} is not there") from error
        if error.errno in (*_FORBIDDEN, errno.ENAMETOOLONG, errno.EROFS, errno.ELOOP):
            raise KeyRefused(f"{key}: {error.strerror}") from error
        raise BucketUnavailable(f"{self._display_name} cannot be reached: {error.strerror}") from error

    @property
    def _display_name(self) -> str:
        return f"the bucket {keys.printable(self._path)}"


def _rename_without_replacing(source: bytes, target: bytes) -> None:
    """Give a file another name, unless that is taken.

    Raises:
        FileExistsError: It is.
    """
    try:
        # A hard link fails where the name is taken; a rename would replace what is there.
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.EPERM, errno.EMLINK):
            raise
        # No hard links here (FAT, some network shares): take the name with an empty file, then replace that.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            os.replace(source, target)
        except OSError:
            with suppress(OSError):
                os.unlink(target)
            raise


def _describe(raw: bytes, found: os.stat_result, problem: str | None = None) -> BucketObject | None:
    """Return an object; None for a folder."""
    if modes.S_ISDIR(found.st_mode):
        return None
    if modes.S_ISLNK(found.st_mode):
        problem = LINK
    elif not modes.S_ISREG(found.st_mode):
        problem = "not a file, but a device, pipe or socket"
    return _object(raw, found.st_size, found.st_mtime_ns, problem)


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
