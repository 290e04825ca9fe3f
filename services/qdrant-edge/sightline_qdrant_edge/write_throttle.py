"""Slows writers down while a replay of their writes catches up."""

from __future__ import annotations

from threading import Condition


class WriteThrottle:
    """Lets one write through for every two that are replayed, so that the replay catches up with any number of writers.

    It does so between `start` and `stop`; else every write passes at once.
    """

    _REPLAYED_A_WRITE = 2
    _MOST_AHEAD = 2
    _WAIT_SECONDS = 0.5

    def __init__(self) -> None:
        self._changed = Condition()
        self._active = False
        self._replayed = 0

    def start(self) -> None:
        """Make writers wait for the replay."""
        with self._changed:
            self._active = True
            self._replayed = 0

    def stop(self) -> None:
        """Let every write through."""
        with self._changed:
            self._active = False
            self._changed.notify_all()

    def count_replayed(self) -> None:
        """Count one write that was replayed."""
        with self._changed:
            most = self._REPLAYED_A_WRITE * self._MOST_AHEAD
            self._replayed = min(self._replayed + 1, most)
            if self._replayed >= self._REPLAYED_A_WRITE:
                self._changed.notify()

    def wait(self) -> None:
        """Wait until a write may go on, half a second at most."""
        if not self._active:
            return
        with self._changed:
            allowed = self._changed.wait_for(
                lambda: not self._active or self._replayed >= self._REPLAYED_A_WRITE, self._WAIT_SECONDS
            )
            if allowed and self._active:
                self._replayed -= self._REPLAYED_A_WRITE
