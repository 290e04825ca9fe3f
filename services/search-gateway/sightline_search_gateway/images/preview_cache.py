"""A cache of previews, bounded by bytes."""

from __future__ import annotations

from threading import Lock

from cachetools import LRUCache


class PreviewCache:
    """Keeps the values used last, at most `max_bytes` of them together. Safe to use from several threads."""

    def __init__(self, max_bytes: int) -> None:
        self._lock = Lock()
        self._values: LRUCache[str, bytes] = LRUCache(maxsize=max_bytes, getsizeof=len)

    def get(self, key: str) -> bytes | None:
        """Return the value, or None."""
        with self._lock:
            return self._values.get(key)

    def put(self, key: str, value: bytes) -> None:
        """Keep a value, unless it alone is too large."""
        with self._lock:
            if len(value) <= self._values.maxsize:
                self._values[key] = value
