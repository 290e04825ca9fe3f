"""Looks up what exists at a key of the bucket: an object, a folder with its objects, or nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from sightline_bucket import Bucket, BucketObject, KeyRefused, ObjectMissing, ObjectUnreadable
from sightline_bucket.selection import NO_MEDIA


def objects_at(bucket: Bucket, key: str, missing: list[str]) -> Iterator[BucketObject]:
    """Yield the object at a key, or the objects of a folder; where nothing exists, append the key to `missing`.

    Raises:
        BucketUnavailable: The bucket does not answer.
    """
    folder, _, name = key.rpartition("/")
    if name == NO_MEDIA and folder:
        # It leaves out its folder, or no longer does.
        key = folder
    exclusion = bucket.excluded(key)
    if exclusion is not None:
        if exclusion.no_media:
            missing.append(key)
        return
    is_key = True
    try:
        yield bucket.stat(key)
        return
    except ObjectUnreadable:
        # Whether it exists cannot be told: its record stays as it is.
        return
    except ObjectMissing:
        pass
    except KeyRefused:
        is_key = False
    is_folder = False
    for seen in _below(bucket, key):
        is_folder = True
        yield seen
    if is_folder:
        return
    if is_key:
        missing.append(key)
    else:
        # The listing of its folder describes a name that is not a valid key, with the problem.
        raw = os.fsencode(key)
        yield from (seen for seen in _below(bucket, key.rpartition("/")[0]) if seen.raw_name == raw)


def _below(bucket: Bucket, folder: str) -> Iterator[BucketObject]:
    """Yield the objects of a folder; none of one outside of the bucket, and none of an object store."""
    if bucket.root is not None:
        with suppress(KeyRefused):
            yield from bucket.list(folder)
