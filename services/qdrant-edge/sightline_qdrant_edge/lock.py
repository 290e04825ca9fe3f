"""The lock on the data folder: one process at a time."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock, Timeout


class DataFolderBusy(Exception):
    """Another process holds the data folder."""


def lock_data_folder(folder: Path) -> FileLock:
    """Take the exclusive lock on a folder, which the kernel holds until the process ends, however it ends.

    The file `lock` inside holds the process id, for the error message of a process that is refused.

    Raises:
        DataFolderBusy: Another process holds it; the message names that process.
        OSError: The folder cannot be created or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock"
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        holder = path.read_text("ascii", "replace").strip() or "unknown"
        raise DataFolderBusy(
            f"the data folder {folder} is held by process {holder}; stop that process, "
            "or give this one another folder with EDGE_DATA_DIR"
        ) from None
    path.write_text(f"{os.getpid()}\n", "ascii")
    return lock
