"""How sure a mean of few values is, and whether one of two is really the better (Efron, doi:10.1214/aos/1176344552)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, bootstrap

SEED, RESAMPLES, BATCH = 13, 9999, 500
CONFIDENCE = 0.95
FEW = 10
"""Of fewer values an interval says less than it seems to."""


@dataclass(frozen=True)
class Interval:
    """A mean, and where it lies with 95 % confidence: (NaN, NaN) where there are fewer than two values."""

    mean: float
    low: float
    high: float
    count: int

    @property
    def is_known(self) -> bool:
        """Whether there are values enough for one."""
        return bool(np.isfinite(self.low))


def interval(values: NDArray[np.float64]) -> Interval:
    """Return the mean of (n,) values with the percentile bootstrap's interval, the same for the same values."""
    if not len(values):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    mean = float(values.mean())
    if len(values) < 2:
        return Interval(mean, float("nan"), float("nan"), len(values))
    random = np.random.default_rng(SEED)
    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=BATCH,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=random,
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high), len(values))


def share(are_so: NDArray[np.bool_]) -> Interval:
    """Return the share of (n,) that are so, n at least 1, and Wilson's interval: none of a few may be some of many."""
    found = binomtest(int(are_so.sum()), len(are_so)).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(float(are_so.mean()), float(found.low), float(found.high), len(are_so))


def difference(ours: NDArray[np.float64], others: NDArray[np.float64]) -> Interval:
    """Return by how much the others are higher, paired: (n,) of the same questions, which are drawn together."""
    return interval(others - ours)


def verdict(found: Interval, asked: str, name: str) -> str:
    """Return in a sentence whether a difference is real.

    Args:
        found: The difference.
        asked: What was asked, in the plural: "folder names".
        name: What is compared with what is used now.
    """
    if not found.is_known:
        return f"There are too few {asked} to tell whether {name} is better."
    few = f" It is of {found.count} questions only, so take it with care." if found.count < FEW else ""
    if found.mean == found.low == found.high == 0:
        return f"For {asked}, {name} makes no difference."
    points = f"by {100 * abs(found.mean):.1f} points ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
    if found.low <= 0 <= found.high:
        return f"For {asked}, {name} differs {points}, which may be chance.{few}"
    better = "better" if found.mean > 0 else "worse"
    return f"For {asked}, {name} is really {better}, {points}.{few}"
