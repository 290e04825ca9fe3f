"""Finds and reads the files beside pictures that describe them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sightline_bucket import Bucket, BucketObject, KeyRefused, ObjectMissing, ObjectUnreadable
from sightline_pictures.metadata import LARGEST_SIDECAR, Tags, is_sidecar, read_sidecar, sidecar_keys


def sidecar_names(root: Path, folder: str) -> frozenset[str]:
    """Return the names of the sidecars in a folder of a bucket; none where it cannot be listed."""
    try:
        return frozenset(filter(is_sidecar, os.listdir(root / folder)))
    except OSError:
        return frozenset()


class SidecarFinder:
    """Finds the sidecars of pictures; each folder is listed once. Made anew for each task.

    In an object store each name that one may have costs a request. There they are looked for only where nothing else
    is to be done about a picture: then the watcher has seen that its sidecars are others than they were.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._names: dict[str, frozenset[str]] = {}

    def find(self, key: str, *, is_up_to_date: bool) -> tuple[BucketObject, ...]:
        """Return the sidecars of a picture that can be read, the best first.

        Args:
            key: Of the picture.
            is_up_to_date: Whether the picture is indexed as it is.

        Raises:
            BucketUnavailable: The bucket does not answer.
        """
        root = self._bucket.root
        if root is None:
            return tuple(self._present(sidecar_keys(key) if is_up_to_date else ()))
        folder = key.rpartition("/")[0]
        names = self._names.get(folder)
        if names is None:
            names = self._names[folder] = sidecar_names(root, folder)
        if not names:
            return ()
        return tuple(self._present([one for one in sidecar_keys(key) if one.rpartition("/")[2] in names]))

    def _present(self, keys: tuple[str, ...] | list[str]) -> Iterator[BucketObject]:
        for key in keys:
            try:
                seen = self._bucket.stat(key)
            except (ObjectMissing, KeyRefused, ObjectUnreadable):
                continue
            if seen.problem is None:
                yield seen


def read_sidecars(bucket: Bucket, found: tuple[BucketObject, ...]) -> tuple[Tags, ...]:
    """Return what sidecars say, in their order.

    Raises:
        BucketUnavailable: The bucket does not answer.
    """
    tags = []
    for seen in found:
        if seen.key is None or seen.size > LARGEST_SIDECAR:
            continue
        try:
            data, _ = bucket.read(seen.key, LARGEST_SIDECAR)
        except (ObjectMissing, KeyRefused, ObjectUnreadable):
            continue
        tags.append(read_sidecar(seen.key, data))
    return tuple(tags)
