"""When the main loop of this process last did its work: `/healthz` beside the metrics answers by it."""

from __future__ import annotations

import time

MAX_AGE_SECONDS = 30.0
_began_at = time.monotonic()
_beaten_at: float | None = None


def beat() -> None:
    """Note that the main loop works; to be called every few seconds."""
    global _beaten_at
    _beaten_at = time.monotonic()


def heartbeat_problem() -> str | None:
    """Return why the main loop is not taken for working, as a sentence; None while it is."""
    if _beaten_at is None:
        return f"The main loop has not begun to work in {time.monotonic() - _began_at:.0f} s."
    age = time.monotonic() - _beaten_at
    return None if age < MAX_AGE_SECONDS else f"The main loop last worked {age:.0f} s ago."
