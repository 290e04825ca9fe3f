"""Looks up what exists at a key of the bucket: an object, a folder with its objects, or nothing."""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Iterator

from sightline_bucket import Bucket, BucketObject, KeyRefused, ObjectMissing


def objects_at(bucket: Bucket, key: str, missing: list[str]) -> Iterator[BucketObject]:
    """Yield the object at a key, or the objects of a folder; where nothing exists, append the key to `missing`.

    Raises:
        BucketUnavailable: The bucket does not answer.
    """
    root = bucket.root
    if root is not None:
        try:
            mode = os.lstat(root / key).st_mode
        except OSError:
            mode = 0
        if modes.S_ISDIR(mode):
            yield from bucket.list(key)
            return
    try:
        yield bucket.stat(key)
    except ObjectMissing:
        missing.append(key)
    except KeyRefused:
        # Its name may not be a valid key: then the listing of its folder describes it, with the problem.
        folder = key.rpartition("/")[0]
        if root is not None and not any(part.startswith(".") for part in key.split("/")):
            name = os.fsencode(key)
            yield from (seen for seen in bucket.list(folder) if seen.raw_name == name)
