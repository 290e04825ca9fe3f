"""Vectors of length one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMALLEST_NORM = 1e-6


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (..., dimensions) vectors brought to length one; zeros stay zeros."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True).clip(min=SMALLEST_NORM)
    return np.asarray(vectors / norms, dtype=np.float32)
