"""Renders each picture once at a time: those who ask for what is being rendered wait for its outcome."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import BoundedSemaphore, Lock
from typing import Generic, TypeVar

from cachetools import TTLCache
from sightline_pictures import PictureError
from sightline_pictures.decoder_pool import Busy
from sightline_pictures.errors import DecoderEnded

R = TypeVar("R")
REMEMBERED_SECONDS = 300
REMEMBERED = 1000


class SharedRenderings(Generic[R]):
    """Renderings under way, and for a while those that failed: a file that is slow is not decoded at each request.

    Args:
        waiting: How many may wait for others' renderings; more are refused, so that they do not take every thread.
    """

    def __init__(self, waiting: int) -> None:
        self._lock = Lock()
        self._under_way: dict[Hashable, Future[R]] = {}
        self._failed: TTLCache[Hashable, PictureError] = TTLCache(REMEMBERED, REMEMBERED_SECONDS)
        self._waiting = BoundedSemaphore(waiting)

    def run(self, key: Hashable, render: Callable[[], R], wait_seconds: float) -> R:
        """Return what `render` returns, or has returned to another caller with the same key meanwhile.

        Raises:
            PictureError: As `render` does, now or a while ago.
            Busy: It took longer than the caller would wait, or too many wait.
        """
        with self._lock:
            if key in self._failed:
                raise PictureError(self._failed[key].reason)
            running = self._under_way.get(key)
            if running is None:
                mine = self._under_way[key] = Future[R]()
        if running is not None:
            if not self._waiting.acquire(blocking=False):
                raise Busy
            try:
                return running.result(wait_seconds)
            except TimeoutError:
                raise Busy from None
            finally:
                self._waiting.release()
        try:
            made = render()
        except BaseException as error:
            with self._lock:
                del self._under_way[key]
                if isinstance(error, PictureError) and not isinstance(error, DecoderEnded):
                    self._failed[key] = error
            mine.set_exception(error)
            raise
        with self._lock:
            del self._under_way[key]
        mine.set_result(made)
        return made
