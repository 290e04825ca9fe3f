"""Records whose objects are gone, and when each is deleted. Does no I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

MOVED_SECONDS = 60.0
"""The record of a moved file stays for so long at most, so that its vector can be copied."""


class PendingDeletions:
    """Holds the ids of records to delete until no new object can be the same file, moved."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}

    def add(self, ids: Iterable[str], *, may_have_moved: bool) -> None:
        """Schedule deletions: now, or, where a new object may be the same file moved, after it can copy the vector."""
        self._due.update(dict.fromkeys(ids, self._clock() + (MOVED_SECONDS if may_have_moved else 0.0)))

    def due(self, *, settled: bool) -> list[str]:
        """Return the ids of the records to delete now.

        Args:
            settled: Nothing is pending, so that no object can still need a vector.
        """
        now = self._clock()
        return [image_id for image_id, due in self._due.items() if settled or due <= now]

    def forget(self, ids: Iterable[str]) -> None:
        """Remove ids: their records have been deleted."""
        for image_id in ids:
            del self._due[image_id]
