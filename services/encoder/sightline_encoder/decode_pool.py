"""A pool of threads with priorities, which decode and preprocess pictures."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable
from queue import PriorityQueue


class DecodePool:
    """Threads with one queue, ordered by priority and then by arrival.

    The queue needs no bound of its own: every job belongs to an item that the batcher has admitted.

    Args:
        threads: The number of threads; Pillow decodes without holding the GIL.
    """

    def __init__(self, threads: int) -> None:
        self._jobs: PriorityQueue[tuple[int, int, Callable[[], None] | None]] = PriorityQueue()
        self._numbers = itertools.count()
        self._threads = [
            threading.Thread(target=self._work, name=f"decode-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, priority: int, job: Callable[[], None]) -> None:
        """Queue a job, which handles its own errors; a lower priority goes first."""
        self._jobs.put((priority, next(self._numbers), job))

    def close(self) -> None:
        """Run what is queued, then stop the threads."""
        for _ in self._threads:
            self._jobs.put((sys.maxsize, next(self._numbers), None))
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()[2]) is not None:
            job()
