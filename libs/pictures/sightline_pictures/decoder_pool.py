"""Decoder processes that are shared by callers who wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from queue import Empty, LifoQueue
from threading import BoundedSemaphore
from typing import Concatenate, ParamSpec, TypeVar

from sightline_pictures.decoder_process import Abandoned, Attempt, DecoderProcess, TooSlow

P = ParamSpec("P")
R = TypeVar("R")
_CALLER_SECONDS = 0.25
_LOOK_SECONDS = 0.25


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Patience:
    """How long a caller waits.

    Attributes:
        seconds: For a decoder that is free.
        abandoned: Whether nobody waits any more; asked now and then.
    """

    seconds: float
    abandoned: Callable[[], bool] = _never


class Busy(Exception):
    """Every decoder was busy for as long as the caller would wait."""


class DecoderPool:
    """Decoder processes for callers that wait. Safe to use from several threads.

    Args:
        processes: Pictures that are decoded at once, besides a slow one.
        seconds: How long decoding may take.
        callers: How many may wait or have something decoded; more are refused, so that they do not take every thread.
    """

    def __init__(self, processes: int, seconds: float, callers: int) -> None:
        self._callers = BoundedSemaphore(callers)
        self._seconds = seconds
        self._free: LifoQueue[DecoderProcess] = LifoQueue()
        self._slow = BoundedSemaphore(1)
        self._all: set[DecoderProcess] = set()
        for _ in range(processes):
            self._free.put(self._new())

    def run(
        self,
        work: Callable[Concatenate[bytes, P], R],
        patience: Patience,
        read: Callable[[], bytes],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> tuple[bytes, R]:
        """Return a file's bytes, and what a function of `sightline_pictures.rendering` makes of them.

        Args:
            work: The function.
            patience: How long to wait.
            read: Returns the file's bytes; called when a decoder is free: files that wait would fill the memory.
            args: The function's arguments besides the bytes.
            kwargs: The function's arguments besides the bytes.

        Raises:
            PictureError: As the function does; or it took too long.
            Busy: No decoder was free in time, or too many callers wait.
            Abandoned: Nobody waits any more.
        """
        if not self._callers.acquire(timeout=_CALLER_SECONDS):
            raise Busy
        with ExitStack() as afterwards:
            afterwards.callback(self._callers.release)
            decoder = self._wait_for(patience, self._take)
            goes_on = False
            try:
                data = read()
                return data, Attempt(decoder, self._seconds).run(work, patience.abandoned, data, *args, **kwargs)
            except TooSlow:
                goes_on = self._slow.acquire(blocking=False)
                if not goes_on:
                    decoder.close()
            finally:
                self._free.put(self._new() if goes_on else decoder)
            if not goes_on:
                self._wait_for(patience, lambda seconds: self._slow.acquire(timeout=seconds) or None)
                decoder = self._new()
            afterwards.callback(self._slow.release)
            afterwards.callback(self._all.discard, decoder)
            afterwards.callback(decoder.close)
            return data, Attempt(decoder, self._seconds, is_last=True).run(
                work, patience.abandoned, data, *args, **kwargs
            )

    def _take(self, seconds: float) -> DecoderProcess | None:
        try:
            return self._free.get(timeout=seconds)
        except Empty:
            return None

    @staticmethod
    def _wait_for(patience: Patience, take: Callable[[float], R | None]) -> R:
        deadline = time.monotonic() + patience.seconds
        while True:
            if patience.abandoned():
                raise Abandoned
            left = deadline - time.monotonic()
            taken = take(max(0.0, min(left, _LOOK_SECONDS)))
            if taken is not None:
                return taken
            if left <= 0:
                raise Busy

    def close(self) -> None:
        """End the processes, whatever they do."""
        for decoder in list(self._all):
            decoder.close()

    def _new(self) -> DecoderProcess:
        decoder = DecoderProcess()
        self._all.add(decoder)
        return decoder
