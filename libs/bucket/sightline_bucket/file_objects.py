"""Describes files, and folders that cannot be listed, as objects of a bucket."""

from __future__ import annotations

import os
import stat as modes
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sightline_bucket import keys, stamps
from sightline_bucket.bucket import BucketObject

LINK = "a symbolic link; Sightline does not follow links"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def describe(raw: bytes, found: os.stat_result, with_inodes: frozenset[int]) -> BucketObject | None:
    """Return an object; None for a folder.

    Args:
        raw: The file's name in the bucket.
        found: The file's status.
        with_inodes: The devices whose inodes are part of stamps.
    """
    if modes.S_ISDIR(found.st_mode):
        return None
    problem = None
    if modes.S_ISLNK(found.st_mode):
        problem = LINK
    elif not modes.S_ISREG(found.st_mode):
        problem = "not a file, but a device, pipe or socket"
    stamp = stamps.stamp_of(found, with_inode=found.st_dev in with_inodes)
    return replace(_object(raw, found.st_size, found.st_mtime_ns, problem), stamp=stamp)


def unreadable(raw: bytes, problem: str, *, is_folder: bool = False) -> BucketObject:
    """Return an object of which nothing is known but why it cannot be read."""
    return replace(_object(raw, 0, 0, problem), is_folder=is_folder)


def _object(raw: bytes, size: int, modified_ns: int, problem: str | None) -> BucketObject:
    unnameable = keys.problem(raw)
    return BucketObject(
        key=None if unnameable else raw.decode("utf-8"),
        raw_name=raw,
        display_name=keys.printable(raw),
        size=size,
        # Not fromtimestamp: some file systems hold dates that it refuses, and floats lose the microseconds.
        modified_at=_moment(modified_ns),
        etag=f"{size:x}-{modified_ns:x}",
        problem=unnameable or problem,
    )


def _moment(nanoseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return _EPOCH
