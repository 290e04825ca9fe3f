"""How many threads BLAS and OpenMP use: for fifty vectors one, since more cost several times what they save."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

_lock = Lock()
_settled: list[object] = []


def use_one_thread() -> None:
    """Keep this process's libraries on one thread for good: its requests share the cores."""
    _settled.append(_controller().limit(limits=1))


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep the libraries on one thread for a while.

    One caller at a time: the limit is the whole process's, and lifting it would lift it for the others.
    """
    if _settled:
        yield
        return
    with _lock, _controller().limit(limits=1):
        yield


@cache
def _controller() -> ThreadpoolController:
    """Return the controller of the libraries that are loaded; finding them takes milliseconds."""
    return ThreadpoolController()
