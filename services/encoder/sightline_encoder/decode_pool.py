"""A pool of threads with priorities, which have pictures decoded, each by a process of its own."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable
from queue import PriorityQueue, SimpleQueue

from sightline_pictures.decoder_process import Attempt, DecoderProcess, TooSlow

from sightline_encoder.thread_priority import NICENESS_STEP

Job = Callable[[Attempt], None]
"""Has a picture decoded. It handles its own errors, but for TooSlow where the attempt is not the last."""


class DecodePool:
    """Threads with one queue, ordered by priority, then by place in the call, then by arrival.

    A picture whose first attempt was too slow is passed to a thread for slow ones. If that is idle, decoding goes on;
    otherwise it is ended, and starts again when the thread comes to it. So some pictures that take a minute hold up
    neither texts nor other pictures.

    The queues need no bound of their own: every job belongs to an item that the batcher has admitted.

    Args:
        threads: Pictures that are decoded at once, besides a slow one.
        seconds: How long decoding a picture may take.
        on_cpu: Whether decoders compete with the model for the processor; they then have a lower priority.
    """

    def __init__(self, threads: int, seconds: float, *, on_cpu: bool) -> None:
        self._numbers = itertools.count()
        self._jobs: PriorityQueue[tuple[int, int, int, Job | None]] = PriorityQueue()
        self._slow: SimpleQueue[tuple[Job, DecoderProcess] | None] = SimpleQueue()
        self._slow_count = 0
        self._lock = threading.Lock()
        self._seconds = seconds
        self._niceness = NICENESS_STEP if on_cpu else 0
        self._threads = [
            threading.Thread(target=self._work, name=f"decode-{number}", daemon=True) for number in range(threads)
        ]
        self._slow_thread = threading.Thread(target=self._work_slowly, name="decode-slow", daemon=True)
        for thread in (*self._threads, self._slow_thread):
            thread.start()

    def submit(self, priority: int, place: int, job: Job) -> None:
        """Queue a job; a lower priority goes first.

        Args:
            priority: Of the call.
            place: Of the picture in its call: the first of each call goes before the second of any.
            job: What is done; where it raises TooSlow, it is called once more.
        """
        self._jobs.put((priority, place, next(self._numbers), job))

    def close(self) -> None:
        """Run what is queued, then stop the threads."""
        for _ in self._threads:
            self._jobs.put((sys.maxsize, 0, next(self._numbers), None))
        for thread in self._threads:
            thread.join()
        self._slow.put(None)
        self._slow_thread.join()

    def _work(self) -> None:
        decoder = DecoderProcess(self._niceness)
        while (job := self._jobs.get()[3]) is not None:
            try:
                job(Attempt(decoder, self._seconds))
            except TooSlow:
                with self._lock:
                    goes_on = self._slow_count == 0
                    self._slow_count += 1
                if not goes_on:
                    decoder.close()
                self._slow.put((job, decoder))
                decoder = DecoderProcess(self._niceness)
        decoder.close()

    def _work_slowly(self) -> None:
        while (slow := self._slow.get()) is not None:
            job, decoder = slow
            job(Attempt(decoder, self._seconds, is_last=True))
            decoder.close()
            with self._lock:
                self._slow_count -= 1
