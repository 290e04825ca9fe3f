"""How many threads the libraries take that compute: of fifty vectors, one; more cost several times what they save."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

_turn = Lock()
_settled: list[object] = []


def use_one_thread() -> None:
    """Keep this process's libraries on one thread for good: it has requests to share its cores among."""
    _settled.append(_controller().limit(limits=1))


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep the libraries on one thread for a while.

    One caller at a time: the limit is the whole process's, and whoever lifts it would lift it for the others.
    """
    if _settled:
        yield
        return
    with _turn, _controller().limit(limits=1):
        yield


@cache
def _controller() -> ThreadpoolController:
    """Return what knows the libraries that are loaded; finding them takes milliseconds."""
    return ThreadpoolController()
