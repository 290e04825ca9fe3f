"""A store of thumbnails in memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

from sightline_bucket import StoreFull


class FakeThumbnailStore:
    """A store of thumbnails in memory.

    Attributes:
        kept: By SHA-256; an uploaded map's by `MAP_ID/SHA256`.
        full: What is said of its full disk; None while there is room.
    """

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.full: str | None = None
        self.disk = None

    def put(self, sha256: str, webp: bytes, *, map_id: str | None = None) -> None:
        self.check_room()
        self.kept[self._path(sha256, map_id)] = webp

    def check_room(self) -> None:
        if self.full is not None:
            raise StoreFull(self.full)

    def get(self, sha256: str, *, map_id: str | None = None) -> bytes | None:
        return self.kept.get(self._path(sha256, map_id))

    def exists(self, sha256: str) -> bool:
        return self._path(sha256) in self.kept

    def release(self, shas: Iterable[str], in_use: Callable[[Sequence[str]], Collection[str]]) -> None:
        released = sorted(set(shas))
        if released:
            used = in_use(released)
            for sha256 in released:
                if sha256 not in used:
                    self.kept.pop(self._path(sha256), None)

    def release_map(self, map_id: str, shas: Iterable[str]) -> None:
        for sha256 in shas:
            self.kept.pop(self._path(sha256, map_id), None)

    @staticmethod
    def _path(sha256: str, map_id: str | None = None) -> str:
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise ValueError(f"{sha256!r} is not a SHA-256 in lower-case hexadecimal")
        if map_id is None:
            return sha256
        if not re.fullmatch(r"[A-Za-z0-9-]+", map_id):
            raise ValueError(f"{map_id!r} is not a map's id")
        return f"{map_id}/{sha256}"
