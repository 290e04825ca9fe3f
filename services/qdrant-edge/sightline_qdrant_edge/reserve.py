"""The part of the disk that the service keeps for itself: for starting and stopping while the disk is full."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import structlog
from sightline_service.disk_space import MB, Disk

from sightline_qdrant_edge.errors import DiskFull

_FILE = "reserve"
RESERVE_FILE_BYTES = 16 * MB
"""More than the engine takes to open and to flush what is not flushed."""
EXHAUSTED_BYTES = 8 * MB
"""With less, the engine's flush is put off: a page of a mapped file for which there is no room ends the process."""
_DELETION_SHARE = 0.5
_COPIES = 3
"""What a write takes on the disk at most, as a multiple of its message: in the log, the segments, and a journal."""

_log = structlog.get_logger()


class Reserve:
    """The free space of the data folder: refuses writes before the engine meets a full disk.

    A file of RESERVE_FILE_BYTES is held besides. Other programs may fill the disk to the last byte; the file is deleted
    then when the service starts or stops, so that the engine can open its files, and searches are answered.

    Args:
        folder: The data folder.
        disk: Its disk.
    """

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._path = folder / _FILE
        self._disk = disk

    def check(self, request_bytes: int, *, deletes: bool = False) -> None:
        """Refuse a write for which there is no room.

        Args:
            request_bytes: The size of its message.
            deletes: It deletes points, for which half of the reserve may be taken.

        Raises:
            DiskFull: There is no room.
        """
        problem = self._disk.problem(_COPIES * request_bytes, share=_DELETION_SHARE if deletes else 1.0)
        if problem is not None:
            raise DiskFull(f"{problem}; searches go on, and writes once there is room")

    def missing_bytes(self, needed: int) -> int:
        """Return how many more bytes would have to be free, for so many to be written beside the reserve."""
        space = self._disk.space()
        return 0 if space is None else max(0, needed + self._disk.reserve_bytes(space) - space.free)

    @property
    def problem(self) -> str | None:
        """Why writes are refused, as a sentence; None while they are not."""
        return self._disk.problem()

    @property
    def is_exhausted(self) -> bool:
        """Whether other programs have filled the disk, reserve and all."""
        space = self._disk.space()
        return space is not None and space.free < EXHAUSTED_BYTES

    def hold(self) -> None:
        """Take the file's space, if that leaves the rest of the reserve free, and the file has not got it yet."""
        if self._path.exists() or self.missing_bytes(RESERVE_FILE_BYTES) or not hasattr(os, "posix_fallocate"):
            return
        try:
            # posix_fallocate of a file system that cannot do it writes every block.
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_FILE_BYTES)
        except OSError as error:
            self._path.unlink(missing_ok=True)
            _log.debug("no reserve is held", error=error.strerror)

    def release_if_exhausted(self) -> None:
        """Give the file's space to the engine, if other programs have left none."""
        if self.is_exhausted:
            with suppress(FileNotFoundError):
                self._path.unlink()
                _log.warning("the disk is full: its reserve is used", freed_mb=RESERVE_FILE_BYTES // MB)
