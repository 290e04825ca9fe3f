"""Files that are whole after a crash, and copies of a shard's folder."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from pathlib import Path
from uuid import uuid4

_FICLONE = 0x40049409  # Linux: share the blocks of a file, copied when one side writes
_COPY_BYTES = 8 * 1024 * 1024

# Of a segment that has its index, the engine writes these once and never again: deleting sets bits elsewhere, and a
# point that changes goes to another segment. They are by far the largest, and a link costs nothing.
_WRITTEN_ONCE = ("matrix.dat", "quantized.data", "links_compressed.bin", "graph.bin")
_INDEXED_SEGMENT = "id_tracker.mappings"  # one that still takes points has `mutable_id_tracker.mappings`


def written_once(path: Path) -> bool:
    """Return whether the engine never writes to a file of a shard again."""
    if path.parent.name == "payload_storage" and path.name.startswith("page_"):
        return (path.parent.parent / _INDEXED_SEGMENT).exists()
    return path.name in _WRITTEN_ONCE


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path | str) -> None:
    """Make a file's content durable; the interpreter's lock is free meanwhile."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Make every file and folder below durable; a file that goes away meanwhile is passed over."""
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                sync_file(os.path.join(parent, name))
            except FileNotFoundError:
                continue
        try:
            sync_folder(Path(parent))
        except FileNotFoundError:
            continue


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file so that a crash leaves either the old content or the new."""
    draft = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def discard(path: Path) -> None:
    """Remove a folder: at once by name, then its content."""
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
            try:
                total += os.stat(os.path.join(parent, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def copy_shard(source: Path, target: Path) -> None:
    """Copy a shard's folder while nothing writes to it.

    Files that the engine writes once are hard-linked; of the rest, blocks are shared where the file system can,
    and holes stay holes, since most of a write-ahead log and of the engine's pages is not yet written.
    """
    for parent, _, names in os.walk(source):
        folder = target / os.path.relpath(parent, source)
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            origin, copy = Path(parent, name), folder / name
            if written_once(origin):
                try:
                    os.link(origin, copy)
                    continue
                except OSError:
                    pass  # another file system, or one without hard links
            _copy_file(origin, copy)


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb", buffering=0) as origin, target.open("wb", buffering=0) as copy:
        try:
            fcntl.ioctl(copy.fileno(), _FICLONE, origin.fileno())
            return
        except OSError:
            pass  # this file system shares no blocks
        size = os.fstat(origin.fileno()).st_size
        copy.truncate(size)
        at = 0
        while at < size:
            try:
                start = os.lseek(origin.fileno(), at, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    break  # only a hole is left
                start, end = at, size
            else:
                end = os.lseek(origin.fileno(), start, os.SEEK_HOLE)
            _copy_range(origin.fileno(), copy.fileno(), start, end)
            at = end


def _copy_range(source: int, target: int, start: int, end: int) -> None:
    while start < end:
        block = os.pread(source, min(_COPY_BYTES, end - start), start)
        if not block:
            return
        start += os.pwrite(target, block, start)
