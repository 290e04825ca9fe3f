"""What is at a key of the bucket now: an object, a folder with all that is in it, or nothing."""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Iterator

from sightline_bucket import Bucket, BucketObject, KeyRefused, ObjectMissing


def objects_at(bucket: Bucket, key: str, missing: list[str]) -> Iterator[BucketObject]:
    """Yield the objects at a key; where there is nothing, the key is added to `missing`.

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
        # A name that cannot be a key, say: the listing of its folder tells what it is.
        folder = key.rpartition("/")[0]
        if root is not None and not any(part.startswith(".") for part in key.split("/")):
            name = os.fsencode(key)
            yield from (seen for seen in bucket.list(folder) if seen.raw_name == name)
