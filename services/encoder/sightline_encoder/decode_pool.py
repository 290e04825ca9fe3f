"""A pool of threads with priorities, which have pictures decoded, each by a process of its own."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable
from queue import Empty, PriorityQueue

from sightline_pictures.decoder_process import QUICK_SECONDS, SLOW_NICENESS, DecoderProcess, TooSlow

from sightline_encoder.thread_priority import NICENESS_STEP

Job = Callable[[DecoderProcess, float], None]
"""Has a picture decoded within so many seconds. It handles its own errors, but for TooSlow."""
Jobs = PriorityQueue[tuple[int, int, int, Job | None]]

IDLE_SECONDS = 10.0
"""After so long the process for slow pictures is ended: it is seldom needed."""


class DecodePool:
    """Threads with one queue, ordered by priority, then by place in the call, then by arrival.

    A picture that is not decoded within QUICK_SECONDS makes way for others: it is decoded again, after other slow ones,
    by one process that has the whole time. So some that take a minute hold up neither texts nor other pictures.

    The queue needs no bound of its own: every job belongs to an item that the batcher has admitted.

    Args:
        threads: The number of threads, and of processes besides that for slow pictures.
        seconds: How long decoding a picture may take.
        on_cpu: Whether decoders compete with the model for the processor; they then have a lower priority.
    """

    def __init__(self, threads: int, seconds: float, *, on_cpu: bool) -> None:
        self._numbers = itertools.count()
        self._quick: Jobs = PriorityQueue()
        self._slow: Jobs = PriorityQueue()
        self._seconds = seconds
        niceness = NICENESS_STEP if on_cpu else 0
        self._threads = [
            threading.Thread(target=self._work_quickly, args=(niceness,), name=f"decode-{number}", daemon=True)
            for number in range(threads)
        ]
        self._slow_thread = threading.Thread(
            target=self._work_slowly, args=(max(niceness, SLOW_NICENESS),), name="decode-slow", daemon=True
        )
        for thread in (*self._threads, self._slow_thread):
            thread.start()

    def submit(self, priority: int, place: int, job: Job) -> None:
        """Queue a job; a lower priority goes first.

        Args:
            priority: Of the call.
            place: Of the picture in its call: the first of each call goes before the second of any.
            job: Called with a time limit; where it raises TooSlow, it is called once more, with a longer one.
        """
        self._quick.put((priority, place, next(self._numbers), job))

    def close(self) -> None:
        """Run what is queued, then stop the threads."""
        for _ in self._threads:
            self._quick.put((sys.maxsize, 0, next(self._numbers), None))
        for thread in self._threads:
            thread.join()
        self._slow.put((sys.maxsize, 0, next(self._numbers), None))
        self._slow_thread.join()

    def _work_quickly(self, niceness: int) -> None:
        decoder = DecoderProcess(niceness)
        while (entry := self._quick.get())[3] is not None:
            try:
                entry[3](decoder, min(QUICK_SECONDS, self._seconds))
            except TooSlow:
                self._slow.put(entry)
        decoder.close()

    def _work_slowly(self, niceness: int) -> None:
        decoder = DecoderProcess(niceness)
        while True:
            try:
                job = self._slow.get(timeout=IDLE_SECONDS)[3]
            except Empty:
                decoder.close()
                continue
            if job is None:
                break
            job(decoder, self._seconds)
        decoder.close()
