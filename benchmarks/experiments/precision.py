"""Figure 4: how many of the first hundred pictures are of the class whose name was searched for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from benchmarks.experiments.chart import Look
from benchmarks.experiments.subject import Subject
from benchmarks.quality import query, rank

DEPTH = 100
FEW = 5
"""Classes that are drawn, and of the worst so many more."""
ENOUGH = (100, 50, 30, 20, 10, 1)
"""Pictures that a class should have to be drawn; the first of these that enough classes reach."""
INSIDE = 0.85
"""From this on a bar's figure has its place inside the bar."""
GAP = 0.6
"""Between the two groups of bars, in bars."""


@dataclass(frozen=True)
class Score:
    """How well a class's name finds it.

    Attributes:
        size: Pictures of the class.
        depth: The first min(100, size) count: no more could be right.
        precision: The share of those that are of the class.
        instead: What the others are of, the most frequent first, each with how often; without the unlabelled.
    """

    name: str
    size: int
    depth: int
    precision: float
    instead: list[tuple[str, int]] = field(default_factory=list)


def measure(subject: Subject) -> list[Score]:
    """Search for each class's name among all pictures; return the scores by name."""
    names = list(subject.sizes)
    rankings = rank([query(name) for name in names], subject.vectors, subject.model, DEPTH)
    return scores(subject.labels, names, rankings)


def scores(labels: NDArray[np.str_], names: Sequence[str], rankings: Iterable[NDArray[np.intp]]) -> list[Score]:
    """Return a score a class.

    Args:
        labels: (n,) of the pictures; empty for none.
        names: Of the classes.
        rankings: For each class, the places of the pictures that its name finds, the nearest first.
    """
    found = []
    for name, ranking in zip(names, rankings, strict=True):
        size = int((labels == name).sum())
        depth = min(DEPTH, size)
        first = labels[ranking[:depth]]
        others = Counter(label for label in first.tolist() if label and label != name)
        found.append(Score(name, size, depth, float((first == name).mean()), others.most_common(2)))
    return found


def chosen(sizes: Mapping[str, int], seed: int) -> tuple[list[str], int]:
    """Return up to five random classes, by name, and how many pictures each class had to have to be drawn."""
    if not sizes:
        return [], 0
    for enough in ENOUGH:
        names = sorted(name for name, size in sizes.items() if size >= enough)
        if len(names) >= FEW:
            break
    drawn = np.random.default_rng(seed).permutation(len(names))[:FEW]
    return [names[place] for place in sorted(drawn.tolist())], enough


def worst(found: Sequence[Score]) -> list[Score]:
    """Return the five classes of the lowest precision, the lowest first."""
    return sorted(found, key=lambda score: (score.precision, score.name))[:FEW]


def mean(found: Iterable[Score]) -> float:
    """Return the mean over classes, large and small alike."""
    return float(np.mean([score.precision for score in found]))


def draw(axes: Axes, look: Look, found: Sequence[Score], names: Sequence[str]) -> None:
    """Draw a bar for each class that was drawn, then for each of the worst."""
    by_name = {score.name: score for score in found}
    groups = [("drawn at random", look.colors[0], [by_name[name] for name in names])]
    if len(found) > len(names):
        groups.append(("the worst of all", look.colors[3], worst(found)))
    start, ticks = 0.0, {}
    for label, color, group in groups:
        places = start + np.arange(len(group))
        axes.barh(places, [score.precision for score in group], 0.72, color=color, label=label)
        for place, score in zip(places.tolist(), group, strict=True):
            ticks[place] = query(score.name)
            inside = score.precision > INSIDE
            axes.annotate(
                f"{score.precision:.0%}",
                (score.precision, place),
                (-4 if inside else 4, 0),
                textcoords="offset points",
                ha="right" if inside else "left",
                va="center",
                color=look.ground if inside else look.ink,
                fontsize=8,
            )
        start += len(group) + GAP
    average = mean(found)
    axes.axvline(average, color=look.ink, linewidth=1, linestyle=":", label=f"mean of all {len(found)}: {average:.0%}")
    axes.set_yticks(list(ticks), list(ticks.values()), parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.grid(axis="x", color=look.grid, linewidth=0.5)


def figures(found: Sequence[Score], names: Sequence[str]) -> dict[str, float]:
    """Return the figures by name."""
    return {
        f"mean_precision_at_{DEPTH}": mean(found),
        f"drawn_precision_at_{DEPTH}": mean(score for score in found if score.name in names),
        "classes": len(found),
        f"classes_of_fewer_than_{DEPTH}": sum(score.size < DEPTH for score in found),
        f"classes_at_1_of_{DEPTH}": sum(score.precision == 1 for score in found),
    }


def written(found: Sequence[Score]) -> dict[str, Any]:
    """Return all scores for the file of figures."""
    return {score.name: {"pictures": score.size, "precision": round(score.precision, 4)} for score in found}
