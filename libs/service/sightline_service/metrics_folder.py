"""The folder in which the processes of a service share their metrics, while it runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


@contextmanager
def metrics_folder(service: str) -> Iterator[Path]:
    """Make a folder for a service's metrics; remove it in the end, and before that what killed ones left."""
    start = f"sightline-{service}-metrics-"
    for left in Path(tempfile.gettempdir()).glob(f"{start}*"):
        pid = left.name.removeprefix(start).partition("-")[0]
        # Of the same number as this process was one before it, in this container.
        if pid.isdecimal() and (int(pid) == os.getpid() or not psutil.pid_exists(int(pid))):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{start}{os.getpid()}-"))
    try:
        yield folder
    finally:
        # A process that ends meanwhile may still write.
        for _ in range(3):
            shutil.rmtree(folder, ignore_errors=True)
