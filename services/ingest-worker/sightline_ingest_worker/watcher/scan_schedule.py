"""When the bucket is scanned. Does no I/O."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_PAUSE_SECONDS = 600.0
"""The longest pause after a scan that took long, unless a longer one is set."""


class ScanSchedule:
    """Says when the next scan is due.

    Scans begin every `seconds`. Where the listing takes long it is followed by a pause three times as long, so that a
    large bucket is not listed all the time, but not for longer than LONGEST_PAUSE_SECONDS: what is new waits for its
    end.

    Args:
        seconds: From the beginning of a scan to that of the next.
        clock: Tells the time.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._began_at = clock()
        self._due_at = clock()
        self._is_under_way = False
        self._is_requested = False

    @property
    def is_due(self) -> bool:
        """Whether a scan is to begin now."""
        return not self._is_under_way and self._clock() >= self._due_at

    def request(self) -> None:
        """Have a scan begin as soon as possible: after the present one, which may have passed what is meant."""
        self._is_requested = self._is_under_way
        self._due_at = self._clock()

    def begin(self) -> None:
        """Note that a scan begins."""
        self._began_at = self._clock()
        self._is_under_way = True
        self._is_requested = False

    def abort(self) -> None:
        """Note that the scan was given up; another one is due."""
        self._is_under_way = False
        self.request()

    def end(self, listing_seconds: float) -> float:
        """Note that the scan is complete; return the seconds from its beginning to that of the next.

        Args:
            listing_seconds: How long it listed, without what it wrote into the catalogue and what else was done.
        """
        took = self._clock() - self._began_at
        period = max(self._seconds, took + min(3 * listing_seconds, LONGEST_PAUSE_SECONDS))
        self._is_under_way = False
        if not self._is_requested:
            self._due_at = self._began_at + period
        return period
