"""Stamps: what else changes with a file's bytes, where its size and modification time may stay the same."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

VERIFY = "verify"
"""The stamp of a record whose object is to be read and compared, whatever the object's stamp is."""


def stamp_of(status: os.stat_result, *, with_inode: bool) -> str:
    """Return a file's stamp: its change time, and its inode where the file system keeps that."""
    return f"{status.st_ctime_ns:x}-{status.st_ino:x}" if with_inode else f"{status.st_ctime_ns:x}"


def is_touched(known: str | None, seen: str) -> bool:
    """Return whether an object whose ETag is that of its record may have other bytes all the same.

    Args:
        known: The record's stamp; of a record without one nothing is known, and it is not touched.
        seen: The object's; empty where the ETag says it all.
    """
    if known == VERIFY:
        return True
    if not known or not seen:
        return False
    changed, _, inode = known.partition("-")
    seen_changed, _, seen_inode = seen.partition("-")
    return changed != seen_changed or bool(inode and seen_inode and inode != seen_inode)


def changed_at(modified_at: datetime, stamp: str) -> datetime:
    """Return when a file's bytes, name or permissions were last changed; when they were modified, if no more is known.

    A file that is copied or moved here may keep its modification time.
    """
    try:
        changed = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(stamp.partition("-")[0], 16) // 1000)
    except (ValueError, OverflowError):
        return modified_at
    return max(changed, modified_at)
