"""Limits how many keys can be guessed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from cachetools import TTLCache

from sightline_search_gateway.errors import ServiceError

WINDOW_SECONDS = 60.0
MOST_SOURCES = 10_000


@dataclass(frozen=True)
class Source:
    """Where keys come from, and how many wrong ones are let through from there in WINDOW_SECONDS."""

    name: str
    limit: int


@dataclass
class _Window:
    began: float
    wrong: set[bytes] = field(default_factory=set)


class WrongKeys:
    """The wrong keys of the last minute, by where they came from; of this process alone. Safe to use from threads.

    The same wrong key counts once: a program that goes on with an old key locks nobody out who shares its address.
    """

    def __init__(self) -> None:
        self._windows: TTLCache[str, _Window] = TTLCache(MOST_SOURCES, WINDOW_SECONDS, timer=time.monotonic)
        self._lock = Lock()

    def check(self, sources: Sequence[Source], digest: bytes) -> None:
        """Refuse a wrong key where too many came from; one that was counted already passes.

        Raises:
            ServiceError: 429.
        """
        with self._lock:
            for source in sources:
                window = self._windows.get(source.name)
                if window is not None and len(window.wrong) >= source.limit and digest not in window.wrong:
                    raise ServiceError(
                        "too-many-keys",
                        "Too many wrong keys came from this address. Wait a minute, then try again.",
                        retry_after_seconds=window.began + WINDOW_SECONDS - time.monotonic(),
                    )

    def add(self, sources: Sequence[Source], digest: bytes) -> None:
        """Count a wrong key."""
        with self._lock:
            for source in sources:
                window = self._windows.get(source.name)
                if window is None:
                    window = self._windows[source.name] = _Window(time.monotonic())
                window.wrong.add(digest)
