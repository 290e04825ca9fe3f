"""The files of a folder that is Sightline's own, by path: what `S3Store` is in an object store."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress

from sightline_bucket.errors import BucketError, BucketUnavailable, ObjectMissing, ObjectUnreadable
from sightline_bucket.system_errors import EXHAUSTED, explain


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
            BucketUnavailable: It cannot be stored.
        """
        target = self._at(path)
        temporary = target + f".{secrets.token_hex(8)}.tmp".encode()
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            try:
                with open(temporary, "xb") as file:
                    file.write(data)
                os.replace(temporary, target)
            except OSError:
                with suppress(OSError):
                    os.unlink(temporary)
                raise
        except OSError as error:
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
        if error.errno not in EXHAUSTED:
            try:
                with os.scandir(self._folder) as entries:
                    next(entries, None)
                return ObjectUnreadable(path, f"reading it failed: {explain(error)}")
            except OSError as own:
                error = own
        return BucketUnavailable(f"{self._name} cannot be reached: {error.strerror}")
