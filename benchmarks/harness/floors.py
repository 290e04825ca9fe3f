"""What figures must at least be: `AT_LEAST="precision=0.7,map=0.6"`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from benchmarks.harness.results import Failed

SHORT = {"precision": "mean_precision_at_30", "map": "name_map", "recall": "name_recall_at_30", "auroc": "text_auroc"}
FORM = "precision=0.7,map=0.6"


def read_floors(text: str, known: Iterable[str]) -> dict[str, float]:
    """Return the least value of each figure, by its full name; short names are those of `SHORT`.

    Raises:
        Failed: It is malformed, or there is no such figure.
    """
    names = set(known)
    floors = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        said, _, value = (part.strip() for part in pair.partition("="))
        name = SHORT.get(said, said)
        if name not in names:
            raise Failed(f"AT_LEAST: there is no figure {said!r}; there are {', '.join([*SHORT, *sorted(names)])}")
        if not re.fullmatch(r"\d*\.?\d+", value) or float(value) > 1:
            raise Failed(f"AT_LEAST: {pair!r} is not a figure and a number from 0 to 1, as in {FORM}")
        floors[name] = float(value)
    return floors


def missed(floors: Mapping[str, float], figures: Mapping[str, float]) -> list[str]:
    """Return a line for each figure that is lower than it must be, or was not measured."""
    lines = []
    for name, least in floors.items():
        value = figures.get(name)
        if value is None:
            lines.append(f"{name}: not measured here, at least {least:.3f} is wanted")
        elif value < least:
            lines.append(f"{name}: {value:.3f}, too low by {least - value:.3f}: at least {least:.3f} is wanted")
    return lines
