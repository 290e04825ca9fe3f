"""Looks at something again and again while anybody wants to know, and tells all of them when it changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Condition, Thread
from typing import Any

import structlog

log = structlog.get_logger()
LOOK_SECONDS = 1.0
WAKE_SECONDS = 0.25


class Lookout:
    """One thread that looks, however many listen; it ends when nobody does. Safe to use from several threads.

    Args:
        look: Returns what there is to tell. What it raises is taken for no change.
        seconds: The pause between two looks.
    """

    def __init__(self, look: Callable[[], Any], seconds: float = LOOK_SECONDS) -> None:
        self._look = look
        self._seconds = seconds
        self._changed = Condition()
        self._listeners = 0
        self._thread: Thread | None = None
        self._version = 0
        self._value: Any = None

    def listen(self) -> Iterator[Any]:
        """Yield what there is to tell, first as it is and then whenever it changes; None while it does not."""
        seen = 0
        with self._changed:
            self._listeners += 1
            if self._thread is None:
                # Of what was seen by a thread before this one, much may have changed.
                self._value, self._version = None, self._version + 1
                seen = self._version
                self._thread = Thread(target=self._run, name="lookout", daemon=True)
                self._thread.start()
        try:
            while True:
                with self._changed:
                    if self._version == seen:
                        self._changed.wait(WAKE_SECONDS)
                    value = self._value if self._version != seen else None
                    seen = self._version
                yield value
        finally:
            with self._changed:
                self._listeners -= 1

    def _run(self) -> None:
        while True:
            try:
                value = self._look()
            except Exception as error:
                log.warning("could not look", error=str(error))
                value = None
            with self._changed:
                if value is not None and value != self._value:
                    self._value, self._version = value, self._version + 1
                    self._changed.notify_all()
                if self._listeners == 0:
                    self._thread = None
                    return
            time.sleep(self._seconds)
