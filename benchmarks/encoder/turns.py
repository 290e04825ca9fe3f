"""Several competitors measured in turns, so that what else happens on the machine happens to all of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

PAUSE_SECONDS = 0.1
"""Between turns: threads of the last one that still spin for more work come to rest."""


def take(competitors: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Return for each competitor what it gave in each round.

    The order turns round from one round to the next, so that nobody always follows the same other.
    """
    names = list(competitors)
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            time.sleep(PAUSE_SECONDS)
            found[name].append(competitors[name]())
    return found


def rate(work: Callable[[], int], seconds: float = 0.0) -> Callable[[], float]:
    """Return a competitor: items a second of `work`, which returns its items and is repeated for some seconds."""

    def measure() -> float:
        items = 0
        began = time.perf_counter()
        while True:
            items += work()
            passed = time.perf_counter() - began
            if passed >= seconds:
                return items / passed

    return measure


def ratio(found: Mapping[str, Sequence[float]], above: str, below: str) -> float:
    """Return the median over the rounds of one competitor's value over another's of the same round."""
    return median(a / b for a, b in zip(found[above], found[below], strict=True))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least so many percent do not exceed; NaN of none."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
