"""Which of the results to join by a line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 2
Pair = tuple[int, int]


def pairs(similarities: NDArray[np.float32], groups: NDArray[np.intp]) -> list[Pair]:
    """Return pairs of results, each once, the better ranked first.

    Each result is joined to its two nearest within its group; the groups by the strongest pairs between them that make
    one graph of all.

    Args:
        similarities: (n, n), between the results in their rank's order.
        groups: (n,) the group of each.
    """
    others = np.equal.outer(groups, groups)
    np.fill_diagonal(others, False)
    within = np.where(others, similarities, -np.inf)
    nearest = np.argsort(-within, axis=1, kind="stable")[:, :NEIGHBOURS]
    found = {
        _ordered(place, other)
        for place, row in enumerate(nearest.tolist())
        for other in row
        if groups[other] == groups[place] and other != place
    }
    return sorted(found | set(_bridges(similarities, groups)))


def _bridges(similarities: NDArray[np.float32], groups: NDArray[np.intp]) -> list[Pair]:
    """Return the strongest pairs between groups that join all of them: a spanning tree, by Kruskal's algorithm."""
    first, second = np.nonzero(np.triu(groups[:, None] != groups[None, :]))
    order = np.argsort(-similarities[first, second], kind="stable")
    joined = list(range(int(groups.max(initial=-1)) + 1))
    bridges: list[Pair] = []
    number = groups.tolist()
    for place in order.tolist():
        if len(bridges) + 1 >= len(joined):
            break
        pair = (int(first[place]), int(second[place]))
        one, other = (_root(joined, number[end]) for end in pair)
        if one != other:
            joined[other] = one
            bridges.append(pair)
    return bridges


def _root(joined: list[int], group: int) -> int:
    while joined[group] != group:
        group = joined[group]
    return group


def _ordered(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)
