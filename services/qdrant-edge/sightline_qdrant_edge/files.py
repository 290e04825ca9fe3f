"""File operations: fsync of a tree, deletion by rename, copies of a shard's folder."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from sightline_service.atomic_write import sync

_FICLONE = 0x40049409  # Linux: share the blocks of a file, copied when one side writes
_COPY_BYTES = 1024 * 1024


def sync_tree(folder: Path) -> None:
    """Write every file and folder below to the disk (fsync); those deleted meanwhile are skipped."""
    for parent, _, names in os.walk(folder):
        for name in (*names, "."):
            with suppress(FileNotFoundError):
                sync(Path(parent, name))


def read_ahead(folder: Path) -> None:
    """Read every file below into the page cache; the GIL is released meanwhile."""
    block = bytearray(_COPY_BYTES)
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError), open(os.path.join(parent, name), "rb", buffering=0) as file:
                while file.readinto(block):
                    pass


def discard(path: Path) -> None:
    """Delete a folder: it is renamed first, so that it disappears at once."""
    if not path.exists():
        return
    trash = path.with_name(f".trash-{uuid4().hex[:8]}")
    path.rename(trash)
    shutil.rmtree(trash, ignore_errors=True)


def tree_bytes(folder: Path) -> int:
    """Return how many bytes of disk a folder takes."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += Path(parent, name).stat().st_blocks * 512
    return total


def copy_shard(source: Path, target: Path) -> None:
    """Make `target` an exact copy of a shard's folder, whatever it holds already.

    Copy once while writes go on, which leaves a torn copy; then once more while nothing writes, which finds most of it
    equal and has little to write: comparing is several times faster than writing, and never waits for the disk.

    Blocks are shared where the file system can. Holes stay holes, since most of a write-ahead log and of the engine's
    pages is not yet written.
    """
    present: set[Path] = set()
    for parent, _, names in os.walk(source):
        folder = target / os.path.relpath(parent, source)
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            copy = folder / name
            with suppress(FileNotFoundError):  # only while writes go on
                _copy_file(Path(parent, name), copy)
                present.add(copy)
    for parent, _, names in os.walk(target):
        for name in names:
            if (gone := Path(parent, name)) not in present:
                gone.unlink()


def _copy_file(source: Path, target: Path) -> None:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    with source.open("rb", buffering=0) as origin, open(os.open(target, flags, 0o644), "r+b", buffering=0) as copy:
        try:
            fcntl.ioctl(copy.fileno(), _FICLONE, origin.fileno())
            return
        except OSError:
            pass  # this file system shares no blocks
        size = os.fstat(origin.fileno()).st_size
        extents = _extents(origin.fileno(), size)
        if not _covered(_extents(copy.fileno(), os.fstat(copy.fileno()).st_size), extents):
            copy.truncate(0)  # what became a hole in the source must not stay data in the target
        if os.fstat(copy.fileno()).st_size != size:
            copy.truncate(size)
        for start, end in extents:
            _copy_range(origin.fileno(), copy.fileno(), start, end)


def _extents(descriptor: int, size: int) -> list[tuple[int, int]]:
    """Return where a file holds data, by start and end."""
    found = []
    at = 0
    while at < size:
        try:
            start = os.lseek(descriptor, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                break  # only a hole is left
            return [(0, size)]
        at = min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
        found.append((start, at))
    return found


def _covered(inner: list[tuple[int, int]], outer: list[tuple[int, int]]) -> bool:
    return all(any(low <= start and end <= high for low, high in outer) for start, end in inner)


def _copy_range(source: int, target: int, start: int, end: int) -> None:
    while start < end:
        block = os.pread(source, min(_COPY_BYTES, end - start), start)
        if not block:
            return
        if os.pread(target, len(block), start) != block:
            start += os.pwrite(target, block, start)
        else:
            start += len(block)
