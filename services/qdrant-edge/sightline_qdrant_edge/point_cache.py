"""Points as they go over the wire, kept from one search to the next."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock

from sightline_qdrant_edge.values import PointId

_ENTRY_BYTES = 400
"""What an entry takes besides its bytes, about."""


class PointCache:
    """Serialized points of one shard, those that were used last.

    Every write of a point raises the version that the engine gives it, so an entry of another version is out of date.
    Versions of two shards have nothing to do with each other: each shard has its own cache.

    Args:
        max_bytes: The most that it holds; 0 keeps nothing.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._entries: OrderedDict[tuple[PointId, bytes], tuple[int, bytes]] = OrderedDict()
        self._bytes = 0

    def get(self, ids: Sequence[PointId], versions: Sequence[int], selectors: bytes) -> list[bytes | None]:
        """Return what is kept of points of some versions; None for one that is not there.

        Args:
            ids: The points.
            versions: Of each.
            selectors: What of a point is wanted, serialized.
        """
        found: list[bytes | None] = []
        with self._lock:
            for one, version in zip(ids, versions, strict=True):
                key = one, selectors
                entry = self._entries.get(key)
                if entry is None or entry[0] != version:
                    found.append(None)
                    continue
                self._entries.move_to_end(key)
                found.append(entry[1])
        return found

    def put(self, points: Mapping[PointId, tuple[int, bytes]], selectors: bytes) -> None:
        """Keep points, each with its version."""
        with self._lock:
            for one, entry in points.items():
                key = one, selectors
                old = self._entries.pop(key, None)
                if old is not None:
                    self._bytes -= len(old[1]) + _ENTRY_BYTES
                self._entries[key] = entry
                self._bytes += len(entry[1]) + _ENTRY_BYTES
            while self._bytes > self._max_bytes:
                _, (_, dropped) = self._entries.popitem(last=False)
                self._bytes -= len(dropped) + _ENTRY_BYTES
