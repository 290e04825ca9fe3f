"""Debounces keys: each is released once it has not changed for a while. Does no I/O."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice


class Debouncer:
    """Holds changed keys until they have not changed for `quiet_seconds`."""

    def __init__(self, quiet_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._quiet_seconds = quiet_seconds
        self._clock = clock
        self._due: dict[str, float] = {}

    def touch(self, key: str) -> None:
        """Start, or restart, a key's wait: it has just changed."""
        self._due[key] = self._clock() + self._quiet_seconds

    def touch_again(self, key: str) -> bool:
        """Restart a key's wait if it is waiting; return whether it is."""
        if key not in self._due:
            return False
        self.touch(key)
        return True

    def quiet(self, limit: int = 1000) -> list[str]:
        """Remove and return the keys whose wait is over, at most `limit` of them."""
        now = self._clock()
        ready = list(islice((key for key, due in self._due.items() if due <= now), limit))
        for key in ready:
            del self._due[key]
        return ready
