"""Times: competitors in turns, percentiles, single calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from statistics import median
from threading import Event, Thread
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Q = TypeVar("Q")
A = TypeVar("A")
Milliseconds = NDArray[np.float64]

PAUSE_SECONDS = 0.1
"""Between turns: threads of the last one that still spin for more work come to rest."""


def in_turns(competitors: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Return what each competitor gave in each round; the order turns round, so that nobody always follows another."""
    names = list(competitors)
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            time.sleep(PAUSE_SECONDS)
            found[name].append(competitors[name]())
    return found


def rate(work: Callable[[], Sized], seconds: float = 0.0) -> Callable[[], float]:
    """Return a competitor: items a second of `work`, which returns its items and is repeated for some seconds."""

    def measure() -> float:
        items = 0
        began = time.perf_counter()
        while True:
            items += len(work())
            passed = time.perf_counter() - began
            if passed >= seconds:
                return items / passed

    return measure


def ratio(found: Mapping[str, Sequence[float]], above: str, below: str) -> float:
    """Return the median over the rounds of one competitor's value over another's of the same round."""
    return median(a / b for a, b in zip(found[above], found[below], strict=True))


def percentile(values: Sequence[float] | NDArray[Any], percent: float) -> float:
    """Return a percentile; NaN of none."""
    return float(np.percentile(values, percent)) if len(values) else float("nan")


def timed(call: Callable[[Q], A], queries: Iterable[Q]) -> tuple[Milliseconds, list[A]]:
    """Return the (n,) milliseconds of each call, one after the other, and the answers."""
    milliseconds, answers = [], []
    for query in queries:
        began = time.perf_counter()
        answer = call(query)
        milliseconds.append(1000 * (time.perf_counter() - began))
        answers.append(answer)
    return np.array(milliseconds), answers


@contextmanager
def meanwhile(*calls: Callable[[], object], pause_seconds: float = 0.0) -> Iterator[None]:
    """Call again and again while the block runs, each in a thread of its own."""
    done = Event()

    def repeat(call: Callable[[], object]) -> None:
        while not done.is_set():
            call()
            done.wait(pause_seconds)

    threads = [Thread(target=repeat, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
