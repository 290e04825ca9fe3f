"""Waits with a deadline, for tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sightline_local.supervisor import Supervisor

T = TypeVar("T")


def wait_for(condition: Callable[[], T | None], what: str = "the condition", seconds: float = 120.0) -> T:
    """Return the condition's first true value; fail the test, saying what was waited for, if there is none in time."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s; last seen: {value!r}"
        time.sleep(pause)
        pause = min(2 * pause, 0.1)
    return value


def wait_for_pid(supervisor: Supervisor, name: str, *, other_than: int | None = None) -> int:
    """Return the process id of a service, once it is started, or is another one than before."""
    return wait_for(lambda: [pid for pid in supervisor.pids(name) if pid != other_than], f"{name} starts", 30)[0]
