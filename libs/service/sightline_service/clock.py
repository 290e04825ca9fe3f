"""Tells the time to code that depends on it, so that a test can let a month pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clock:
    """The time.

    Attributes:
        now: Returns the present moment, in UTC.
        monotonic: Returns seconds that only ever grow, as `time.monotonic` does.
    """

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic


SYSTEM_CLOCK = Clock()
