"""Atomic writes: a reader finds either the old content of a file or the whole new one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def atomic_write(path: Path, data: bytes | str, *, durable: bool = False) -> None:
    """Replace a file's content, by a temporary file beside it and a rename.

    Args:
        path: The file; its folder exists.
        data: Text is written as UTF-8.
        durable: Whether content and name are on the disk when this returns (fsync).

    Raises:
        OSError: It cannot be written; the old content stays.
    """
    with replacing(path, durable=durable) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path to write to, which replaces `path` once the block ends without an error.

    The temporary name begins with a dot and has the suffix of `path`, for libraries that choose a format by it.
    """
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        if durable:
            sync(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync(path.parent)


def sync(path: Path) -> None:
    """Write a file's content, or a folder's entries, to the disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
