"""Searches that go on while something is done to a system."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

SEARCH_SECONDS = 0.05


@dataclass
class Searches:
    """Searches every SEARCH_SECONDS, in a thread of its own.

    Attributes:
        url: What is asked.
        parameters: Returns the parameters of the search of a number.
        is_right: Whether some results are what must be found.
        made: How many searches there were.
        wrong: How many did not find it.
        refused: What was said instead of an answer.
        slowest: Seconds of the slowest.
    """

    url: str
    parameters: Callable[[int], Mapping[str, str | int]]
    is_right: Callable[[list[dict[str, Any]]], bool]
    made: int = 0
    wrong: int = 0
    refused: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Search until the block ends."""
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _run(self, stop: threading.Event) -> None:
        with httpx.Client(timeout=30) as http:
            while not stop.is_set():
                began = time.perf_counter()
                answer = http.get(self.url, params=dict(self.parameters(self.made)))
                took = time.perf_counter() - began
                self.made += 1
                self.slowest = max(self.slowest, took)
                if answer.status_code != httpx.codes.OK:
                    self.refused.append(answer.text[:300])
                elif not self.is_right(answer.json()["results"]):
                    self.wrong += 1
                stop.wait(max(SEARCH_SECONDS - took, 0.0))
