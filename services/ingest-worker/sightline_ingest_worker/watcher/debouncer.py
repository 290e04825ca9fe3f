"""Keys that change, kept until they are quiet. No input or output of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice


class Debouncer:
    """Keeps what changes until it has been left alone for a while."""

    def __init__(self, quiet_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._quiet_seconds = quiet_seconds
        self._clock = clock
        self._due: dict[str, float] = {}

    def touch(self, key: str) -> None:
        """Begin a key's wait, anew if it waits already: it has just changed."""
        self._due[key] = self._clock() + self._quiet_seconds

    def touch_again(self, key: str) -> bool:
        """Begin a key's wait anew if it waits; returns whether it does."""
        if key not in self._due:
            return False
        self.touch(key)
        return True

    def quiet(self, limit: int = 1000) -> list[str]:
        """Take out and return what has been quiet for long enough, at most so much."""
        now = self._clock()
        ready = list(islice((key for key, due in self._due.items() if due <= now), limit))
        for key in ready:
            del self._due[key]
        return ready
