"""How much room the bodies of requests take, in all processes of a gateway together."""

from __future__ import annotations

import mmap
from threading import Lock

NUMBER_BYTES = 8
COPIES = 2
"""Of a body: as it arrived, and as it is read, in a form's files or in memory."""


class BodyBudget:
    """The room for bodies. Safe to use from several threads, and from processes that were forked after it was made.

    Each process writes a number of its own, so that one that dies in the middle leaves no lock behind; two that look at
    the same moment may both take the last room.

    Args:
        limit: In bytes.
        processes: How many there are.
    """

    def __init__(self, limit: int, processes: int) -> None:
        self._limit = limit
        self._taken = memoryview(mmap.mmap(-1, processes * NUMBER_BYTES)).cast("q")
        self._lock = Lock()
        self._place = 0

    def use_place(self, place: int) -> None:
        """Begin as the process of a place, from 0 on, with nothing taken."""
        self._place = place
        self._lock = Lock()
        self._taken[place] = 0

    def take(self, size: int) -> bool:
        """Take the room for a body, or for more of one; return whether there was enough."""
        with self._lock:
            if sum(self._taken) + size * COPIES > self._limit:
                return False
            self._taken[self._place] += size * COPIES
            return True

    def give_back(self, size: int) -> None:
        """Give back what was taken."""
        with self._lock:
            self._taken[self._place] -= size * COPIES
