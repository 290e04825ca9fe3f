"""Puts results in an order in which those that look alike do not follow each other.

Maximal marginal relevance (Carbonell and Goldstein, "The use of MMR, diversity-based reranking", 1998): each next
result is a compromise between its place and how little it looks like those before it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DEPTH = 100
"""So many of the first results are put in order."""


def diversified(visual: NDArray[np.float32], diversity: float) -> NDArray[np.intp]:
    """Return the places of results in the new order: (n,).

    Args:
        visual: (n, d) unit vectors, the best first.
        diversity: From 0, where the order stays, to 1, where places do not count but for the first.
    """
    count = len(visual)
    # Scores are on another scale for each kind of query; places are on one.
    worth = (1 - diversity) * (1 - np.arange(count, dtype=np.float32) / max(count, 1))
    alike = diversity * (visual @ visual.T)
    nearest = np.full(count, -np.inf, np.float32)
    order = np.empty(count, np.intp)
    for place in range(count):
        chosen = int(np.argmax(worth - nearest)) if place else 0
        order[place] = chosen
        worth[chosen] = -np.inf
        np.maximum(nearest, alike[chosen], out=nearest)
    return order
