"""One data folder, one process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class DataFolderBusy(Exception):
    """Another process holds the data folder."""


class DataFolderLock:
    """An exclusive lock on a folder, held by the kernel until the process ends, however it ends.

    The file `lock` inside holds the process id, so that whoever is refused can say who has it.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock, creating the folder where needed.

        Raises:
            DataFolderBusy: Another process has it; the message names that process.
            OSError: The folder cannot be created or written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 64, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise DataFolderBusy(
                f"the data folder {folder} is held by process {holder}; stop that process, "
                "or give this one another folder with EDGE_DATA_DIR"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Give the folder back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
