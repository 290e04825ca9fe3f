"""Finds the pictures whose sidecars, files beside them that describe them, are others than when they were indexed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sightline_bucket import BucketObject
from sightline_pictures import has_image_extension
from sightline_pictures.metadata import is_sidecar, sidecar_keys, stamp_of


@dataclass
class _Folder:
    """The pictures and sidecars of one folder that have been listed: stamps and ETags by key."""

    path: str
    pictures: list[tuple[str, str | None]] = field(default_factory=list)
    sidecars: dict[str, str] = field(default_factory=dict)

    def changed(self) -> list[str]:
        """Return the keys of the pictures whose sidecars are others."""
        found = []
        for key, stamp in self.pictures:
            if stamp is None and not self.sidecars:
                continue
            present = [(one, self.sidecars[one]) for one in sidecar_keys(key) if one in self.sidecars]
            if stamp_of(present) != stamp:
                found.append(key)
        return found


class SidecarComparison:
    """Compares the sidecars of a listing with those that its pictures were indexed with.

    It holds what was listed of the folders on the way to the last object: a listing, in whatever order within a folder,
    comes to the end of a folder before it goes to another that is not in it.

    Attributes:
        changed: The keys of the pictures whose sidecars are others, at most `most` of them.
    """

    def __init__(self, most: int) -> None:
        self.changed: list[str] = []
        self._most = most
        self._open: list[_Folder] = []

    def add_picture(self, key: str, stamp: str | None) -> None:
        """Note a picture that is indexed, with the stamp of the sidecars that it was indexed with."""
        self._folder_of(key).pictures.append((key, stamp))

    def add_sidecar(self, seen: BucketObject) -> None:
        """Note a sidecar."""
        if seen.key is not None and seen.problem is None:
            self._folder_of(seen.key).sidecars[seen.key] = seen.etag

    def finish(self) -> None:
        """Compare what is left at the end of the listing."""
        while self._open:
            self._close()

    def _folder_of(self, key: str) -> _Folder:
        path = key.rpartition("/")[0]
        while self._open and not _is_within(path, self._open[-1].path):
            self._close()
        if not self._open or self._open[-1].path != path:
            self._open.append(_Folder(path))
        return self._open[-1]

    def _close(self) -> None:
        self.changed += self._open.pop().changed()[: self._most - len(self.changed)]


def _is_within(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def pictures_beside(root: Path, sidecars: Iterable[str]) -> list[str]:
    """Return the keys of the pictures of a folder's bucket that some sidecars, which need not exist, may describe."""
    wanted: dict[str, set[str]] = {}
    for key in filter(is_sidecar, sidecars):
        wanted.setdefault(key.rpartition("/")[0], set()).add(key)
    found = []
    for folder, keys in wanted.items():
        try:
            names = [path.name for path in (root / folder).iterdir()]
        except OSError:
            continue
        beside = (f"{folder}/{name}" if folder else name for name in names if has_image_extension(name))
        found += [key for key in beside if not keys.isdisjoint(sidecar_keys(key))]
    return found
