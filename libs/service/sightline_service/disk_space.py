"""The free space of the disks that Sightline writes to, of which a reserve is kept."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import structlog
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from sightline_service.settings import SettingsGroup

MB = 2**20
SMALL_DISK_SHARE = 10
LEAST_RESERVE_BYTES = 16 * MB
"""The reserve of a small disk: a tenth of it, and no less than this."""
FEWEST_FILES = 64
"""A disk on which no more files than these fit is full, however many bytes are free."""
DATABASE, THUMBNAILS = "database", "thumbnails"
ERRNOS = (errno.ENOSPC, errno.EDQUOT)
"""The errors of a write that finds no room."""
# Also what Qdrant answers, by its check of the disk, by its quotas, and by an optimizer; and Redis.
_WORDS = re.compile(
    r"no space left|disk( of .{1,40})? is full|disk quota exceeded|disk usage|max_disk_usage|not enough (disk )?space",
    re.IGNORECASE,
)
log = structlog.get_logger()


class DiskSettings(SettingsGroup):
    """Disks."""

    model_config = SettingsConfigDict(env_prefix="DISK_")

    reserve_mb: int = Field(default=512, ge=1, le=2**20)
    """How many MB of 2^20 bytes stay free on the disk of the database (qdrant-edge) and on that of thumbnails: with
    less, what is to be written waits, and searches go on. Of a disk of less than ten times as much a tenth, but 16 MB
    at least."""


@dataclass(frozen=True)
class DiskSpace:
    """The space of a file system, in bytes.

    Attributes:
        free: What others than root can still write.
        files: How many more files fit; None where the file system does not say.
    """

    total: int
    free: int
    files: int | None = None


def says_disk_full(text: str) -> bool:
    """Return whether an error's text, Sightline's own or that of a database, says that a disk is full."""
    return _WORDS.search(text) is not None


def measure(folder: Path) -> DiskSpace | None:
    """Return the space where a folder is, or will be once it is made; None where that is not known."""
    for path in (folder, *folder.absolute().parents):
        try:
            found = os.statvfs(path)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        # Some file systems over a network do not know.
        if found.f_blocks == 0:
            return None
        files = found.f_favail if found.f_files else None
        return DiskSpace(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize, files)
    return None


class Disk:
    """The disk of a folder. Safe to share between threads.

    It is full once less than its reserve is free, until a quarter more than that is. Both are logged, once each.

    Args:
        name: What it holds: DATABASE or THUMBNAILS.
        folder: The folder, which need not exist yet.
        reserve_mb: What is kept free, in MB; less on a small disk.
        measure: Returns the space where a folder is.
    """

    def __init__(
        self, name: str, folder: Path, reserve_mb: int, measure: Callable[[Path], DiskSpace | None] = measure
    ) -> None:
        self.name = name
        self._folder = folder
        self._reserve = reserve_mb * MB
        self._measure = measure
        self._lock = Lock()
        self._is_full = False

    def space(self) -> DiskSpace | None:
        """Return its space; None where that is not known."""
        return self._measure(self._folder)

    def reserve_bytes(self, space: DiskSpace) -> int:
        """Return how much of a space is kept free."""
        return min(self._reserve, max(LEAST_RESERVE_BYTES, space.total // SMALL_DISK_SHARE))

    def problem(self, wanted_bytes: int = 0, *, share: float = 1.0) -> str | None:
        """Return why nothing may be written, as a sentence that begins "the disk"; None while there is room.

        Args:
            wanted_bytes: How much is to be written.
            share: Of the reserve that this must leave: less of it for what makes room.
        """
        space = self.space()
        if space is None:
            return None
        kept = int(self.reserve_bytes(space) * share)
        has_files = space.files is None or space.files > FEWEST_FILES
        is_full = self._note(space, has_files) and share == 1.0
        if has_files and not is_full and space.free - wanted_bytes >= kept:
            return None
        if not has_files:
            return f"the disk of the {self.name} is full: no more files fit on it"
        return (
            f"the disk of the {self.name} is full: {space.free // MB:,} MB are free, and the last "
            f"{kept // MB:,} MB are kept in reserve (DISK_RESERVE_MB)"
        )

    def _note(self, space: DiskSpace, has_files: bool) -> bool:
        """Return whether it is full, whatever is to be written; log that where it has changed."""
        reserve = self.reserve_bytes(space)
        with self._lock:
            least = reserve + reserve // 4 if self._is_full else reserve
            is_full = space.free < least or not has_files
            if is_full != self._is_full:
                self._is_full = is_full
                tell = log.warning if is_full else log.info
                what = "is full" if is_full else "has room again"
                space_mb = {"free_mb": space.free // MB, "reserve_mb": reserve // MB}
                tell(f"the disk of the {self.name} {what}", folder=str(self._folder), **space_mb)
            return is_full
