"""Finds and reads the files beside pictures that describe them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from sightline_bucket import Bucket, BucketObject, KeyRefused, ObjectMissing, ObjectUnreadable
from sightline_pictures.metadata import LARGEST_SIDECAR, Tags, is_sidecar, read_sidecar, sidecar_keys

MOST_FOLDERS = 64
SETTLED_NS = 2 * 10**9
"""A listing is kept where the folder has not changed for so long: its time tells whether it changes afterwards."""


class SidecarFolders:
    """The sidecars in folders, which are listed again once they have changed. Safe to use from several threads.

    To list a folder of 100,000 pictures takes longer than to index a few, which is what a task has of it.
    """

    def __init__(self) -> None:
        self._listed: dict[Path, tuple[int, frozenset[str]]] = {}

    def names(self, folder: Path) -> frozenset[str]:
        """Return the names of the sidecars in a folder; none where it cannot be listed."""
        try:
            changed_at = os.stat(folder).st_mtime_ns
            known = self._listed.get(folder)
            if known is not None and known[0] == changed_at:
                return known[1]
            names = frozenset(filter(is_sidecar, os.listdir(folder)))
        except OSError:
            return frozenset()
        if time.time_ns() - changed_at > SETTLED_NS:
            if len(self._listed) >= MOST_FOLDERS:
                self._listed.clear()
            self._listed[folder] = (changed_at, names)
        return names


class SidecarFinder:
    """Finds the sidecars of pictures. Made anew for each task, in which it looks at each folder once.

    In an object store each name that one may have costs a request. There they are looked for only where nothing else
    is to be done about a picture: then the watcher has seen that its sidecars are others than they were.

    Args:
        bucket: Where they are.
        folders: What earlier tasks have listed.
    """

    def __init__(self, bucket: Bucket, folders: SidecarFolders) -> None:
        self._bucket = bucket
        self._folders = folders
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
            names = self._names[folder] = self._folders.names(root / folder)
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
