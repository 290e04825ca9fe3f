"""The folder in which the processes of a service share their metrics, while it runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from sightline_service.disk_space import MB, measure

MEMORY = Path("/dev/shm")  # noqa: S108
LEAST_BYTES = 32 * MB


def _parent() -> Path:
    """Return where such folders lie: in memory where that can be.

    The files are mapped ones: where there is no room on a disk for a page of them, the process would end.
    """
    space = measure(MEMORY)
    if space is not None and space.free >= LEAST_BYTES and os.access(MEMORY, os.W_OK | os.X_OK):
        return MEMORY
    return Path(tempfile.gettempdir())


@contextmanager
def metrics_folder(service: str) -> Iterator[Path]:
    """Make a folder for a service's metrics; remove it in the end, and before that what killed ones left."""
    start = f"sightline-{service}-metrics-"
    parent = _parent()
    for left in parent.glob(f"{start}*"):
        pid = left.name.removeprefix(start).partition("-")[0]
        # Of the same number as this process was one before it, in this container.
        if pid.isdecimal() and (int(pid) == os.getpid() or not psutil.pid_exists(int(pid))):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{start}{os.getpid()}-", dir=parent))
    try:
        yield folder
    finally:
        # A process that ends meanwhile may still write.
        for _ in range(3):
            shutil.rmtree(folder, ignore_errors=True)
