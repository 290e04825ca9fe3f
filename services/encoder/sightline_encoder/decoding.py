"""A bounded pool of threads that bring pictures to a model's input, the more urgent first."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable


class DecodePool:
    """Threads with one queue ordered by rank, then by arrival.

    What waits here is bounded by whoever submits: every job belongs to an item that a lane has admitted.

    Args:
        threads: Pictures decoded at a time; Pillow decodes outside Python's lock.
    """

    def __init__(self, threads: int) -> None:
        self._jobs: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closing = False
        self._threads = [
            threading.Thread(target=self._work, name=f"decode-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, rank: int, job: Callable[[], None]) -> None:
        """Queue a job, which handles its own errors."""
        with self._changed:
            heapq.heappush(self._jobs, (rank, next(self._numbers), job))
            self._changed.notify()

    def close(self) -> None:
        """Do what is queued, then stop the threads."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._jobs:
                    if self._closing:
                        return
                    self._changed.wait()
                job = heapq.heappop(self._jobs)[2]
            job()
