"""Records whose objects are gone, and how long they stay. No input or output of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

MOVED_SECONDS = 60.0
"""The record of a moved file stays for so long at most, so that its vector can be copied."""


class PendingDeletions:
    """Keeps what is to be deleted until nothing that came with it can be the same file moved."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}

    def add(self, ids: Iterable[str], *, may_have_moved: bool) -> None:
        """Delete these soon, or, where something new may be the same file, once that can have copied the vector."""
        self._due.update(dict.fromkeys(ids, self._clock() + (MOVED_SECONDS if may_have_moved else 0.0)))

    def due(self, *, settled: bool) -> list[str]:
        """Return what is to be deleted now.

        Args:
            settled: Whether nothing is pending, so that nothing is left to copy a vector.
        """
        now = self._clock()
        return [image_id for image_id, due in self._due.items() if settled or due <= now]

    def forget(self, ids: Iterable[str]) -> None:
        """Take these out: they have been deleted."""
        for image_id in ids:
            del self._due[image_id]
