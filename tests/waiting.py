"""Waiting with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sightline_local.supervisor import Supervisor

T = TypeVar("T")


def wait_for(what: str, condition: Callable[[], T | None], timeout_seconds: float = 60.0) -> T:
    """Return the condition's first true value; fail the test, saying what was waited for, when it never comes."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_seconds:.0f} s; last seen: {value!r}")
        time.sleep(0.1)


def wait_for_pid(supervisor: Supervisor, name: str, *, other_than: int | None = None) -> int:
    """Return the process id of a service, once it is started, or is another one than before."""
    return wait_for(f"{name} starts", lambda: [pid for pid in supervisor.pids(name) if pid != other_than], 30.0)[0]
