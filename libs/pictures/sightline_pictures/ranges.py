"""Brings integers and floating point numbers of any range to 8 bits, so that a few extreme values do not matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_EXTREME_SHARE = 1_000
"""Of so many values one may be lower, and one higher, than what becomes black and white."""
_HOT_SHARE = 10_000
_BEYOND = 1e30
"""Larger floating point numbers stand for nothing that was measured."""


@dataclass(frozen=True)
class ValueRange:
    """The values that become black and white.

    Attributes:
        shift: Set where values are shifted to the right by so many bits, as whole bits in use are.
    """

    low: float
    high: float
    shift: int | None = None

    def to_bytes(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the values from 0 to 255, what is beyond the range cut off; what is not a number becomes black."""
        shown: NDArray[np.uint8]
        if self.shift is not None:
            shown = np.clip(np.clip(values, 0, None) >> self.shift, 0, 255).astype(np.uint8)
            return shown
        floats: NDArray[Any] = values.astype(np.float32 if values.dtype.itemsize <= 2 else np.float64)
        floats -= self.low
        floats *= 255 / max(self.high - self.low, 1e-30)
        shown = np.nan_to_num(floats, nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255).round().astype(np.uint8)
        return shown


def integer_range(values: NDArray[Any]) -> ValueRange:
    """Return the range of integers: by the number of bits in use, from their extremes where some are negative.

    By bits, so that 12 bits of a scanner kept in 16 do not come out nearly black. One value in ten thousand may lie
    beyond: a hot pixel does not blacken the others.
    """
    if not values.size:
        return ValueRange(0, 255)
    low, high = _within(values, _HOT_SHARE)
    if low < 0:
        return ValueRange(*_within(values, _EXTREME_SHARE))
    bits = max(8, int(high).bit_length())
    return ValueRange(0, 2**bits - 1, shift=bits - 8)


def float_range(values: NDArray[Any]) -> ValueRange:
    """Return the range of floating point numbers: from 0 to 1 where they keep to it, else between their extremes."""
    values = values.astype(np.float64)
    kept = values[np.isfinite(values) & (np.abs(values) < _BEYOND)]
    if not kept.size:
        return ValueRange(0.0, 1.0)
    low, high = _within(kept, _EXTREME_SHARE)
    return ValueRange(0.0, 1.0) if low >= 0 and high <= 1 else ValueRange(low, high)


def _within(values: NDArray[Any], share: int) -> tuple[float, float]:
    """Return the lowest and the highest value without the most extreme ones: one in `share`, at least one."""
    count = max(1, values.size // share)
    if values.size <= 2 * count:
        return float(values.min()), float(values.max())
    ordered = np.partition(values.ravel(), (count, values.size - 1 - count))
    return float(ordered[count]), float(ordered[-1 - count])
