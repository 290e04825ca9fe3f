"""A pool of threads with priorities, which have pictures decoded, each by a process of its own."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, PriorityQueue, SimpleQueue

from sightline_pictures.decoder_process import QUICK_SECONDS, DecoderProcess, TooSlow

from sightline_encoder.thread_priority import NICENESS_STEP


@dataclass(frozen=True)
class Attempt:
    """How a job is to have its picture decoded.

    Attributes:
        decoder: The process that decodes.
        seconds: How long it may take.
        goes_on: Whether the process is decoding it already.
        is_last: Whether it fails if it takes longer.
    """

    decoder: DecoderProcess
    seconds: float
    goes_on: bool = False
    is_last: bool = False


Job = Callable[[Attempt], None]
"""Has a picture decoded. It handles its own errors, but for TooSlow where the attempt is not the last."""


class DecodePool:
    """Threads with one queue, ordered by priority, then by place in the call, then by arrival.

    A picture that is not decoded within QUICK_SECONDS makes way for others. One such picture goes on beside them, on a
    thread more; further ones are ended, and start again, one by one, when that one is done. So some that take a minute
    hold up neither texts nor other pictures.

    The queue needs no bound of its own: every job belongs to an item that the batcher has admitted.

    Args:
        threads: Pictures that are decoded at once, besides a slow one.
        seconds: How long decoding a picture may take.
        on_cpu: Whether decoders compete with the model for the processor; they then have a lower priority.
    """

    def __init__(self, threads: int, seconds: float, *, on_cpu: bool) -> None:
        self._numbers = itertools.count()
        self._jobs: PriorityQueue[tuple[int, int, int, Job | None]] = PriorityQueue()
        self._slow: SimpleQueue[Job] = SimpleQueue()
        self._slow_lock = threading.Lock()
        self._slow_is_busy = False
        self._places = threading.Semaphore(threads)
        self._seconds = seconds
        self._niceness = NICENESS_STEP if on_cpu else 0
        self._threads = [
            threading.Thread(target=self._work, name=f"decode-{number}", daemon=True) for number in range(threads + 1)
        ]
        for thread in self._threads:
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

    def _work(self) -> None:
        decoder = DecoderProcess(self._niceness)
        while True:
            self._places.acquire()
            job = self._jobs.get()[3]
            goes_on = False
            try:
                if job is None:
                    break
                job(Attempt(decoder, min(QUICK_SECONDS, self._seconds)))
            except TooSlow:
                goes_on = self._begin_slow(job, decoder)
            finally:
                self._places.release()
            if goes_on and job is not None:
                self._work_slowly(job, decoder)
        decoder.close()

    def _begin_slow(self, job: Job | None, decoder: DecoderProcess) -> bool:
        """Return whether a slow job goes on; otherwise it is ended, and waits for the one that does."""
        with self._slow_lock:
            if not self._slow_is_busy:
                self._slow_is_busy = True
                return True
            decoder.close()
            if job is not None:
                self._slow.put(job)
            return False

    def _work_slowly(self, job: Job, decoder: DecoderProcess) -> None:
        """Go on with a slow job, then do those that wait for it."""
        job(Attempt(decoder, self._seconds, goes_on=True, is_last=True))
        while True:
            with self._slow_lock:
                try:
                    job = self._slow.get_nowait()
                except Empty:
                    self._slow_is_busy = False
                    return
            job(Attempt(decoder, self._seconds, is_last=True))
