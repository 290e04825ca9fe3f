"""The files of a folder that is Sightline's own, by path: what `S3Store` is in an object store."""

from __future__ import annotations

import os
from pathlib import Path

from sightline_service.atomic_write import atomic_write
from sightline_service.disk_space import ERRNOS

from sightline_bucket.errors import BucketError, BucketUnavailable, ObjectMissing, ObjectUnreadable, StoreFull
from sightline_bucket.system_errors import explain, out_of_reach


class FolderStore:
    """The files below a folder, which is created when the first is stored. Safe to share between threads.

    Args:
        folder: Its path.
        name: What messages call it.
    """

    def __init__(self, folder: bytes, name: str) -> None:
        self._folder = folder
        self._name = name

    def head(self, path: str) -> None:
        """Look whether a file is there.

        Raises:
            ObjectMissing, ObjectUnreadable, BucketUnavailable: See their docstrings.
        """
        try:
            os.stat(self._at(path))
        except OSError as error:
            raise self._translate(path, error) from error

    def read(self, path: str, limit: int) -> bytes:
        """Return a file's bytes, at most `limit` of them.

        Raises:
            ObjectMissing, ObjectUnreadable, BucketUnavailable: See their docstrings.
        """
        try:
            with open(self._at(path), "rb") as file:
                return file.read(limit)
        except OSError as error:
            raise self._translate(path, error) from error

    def put(self, path: str, data: bytes) -> None:
        """Store a file, atomically; one of that path is replaced.

        Raises:
            StoreFull, BucketUnavailable: It cannot be stored.
        """
        target = Path(os.fsdecode(self._at(path)))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(target, data)
        except OSError as error:
            if error.errno in ERRNOS:
                raise StoreFull(f"the disk of {self._name} is full: {error.strerror}") from error
            raise BucketUnavailable(f"{self._name} cannot be written to: {error.strerror}") from error

    def delete(self, path: str) -> None:
        """Delete a file.

        Raises:
            ObjectMissing, ObjectUnreadable, BucketUnavailable: See their docstrings.
        """
        try:
            os.unlink(self._at(path))
        except OSError as error:
            raise self._translate(path, error) from error

    def _at(self, path: str) -> bytes:
        return os.path.join(self._folder, path.encode())

    def _translate(self, path: str, error: OSError) -> BucketError:
        """Return the error of one file, or of the whole store if its folder cannot be listed."""
        if isinstance(error, FileNotFoundError):
            return ObjectMissing(f"{path} is not there")
        if (cause := out_of_reach(self._folder, error)) is not None:
            return BucketUnavailable(f"{self._name} cannot be reached: {cause.strerror}")
        return ObjectUnreadable(path, f"reading it failed: {explain(error)}")
