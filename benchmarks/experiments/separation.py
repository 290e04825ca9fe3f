"""Figure 6: a map of five classes, as the map worker lays it out, and how well they separate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sightline_search_gateway.maps.request import FEWEST

from benchmarks.experiments.subject import Subject
from benchmarks.map_figure import Mapped, lay_out


def measure(subject: Subject, names: Sequence[str]) -> Mapped | None:
    """Lay out the pictures of some classes; None where they are too few for a map."""
    chosen = np.isin(subject.labels, list(names))
    if chosen.sum() < FEWEST:
        return None
    return lay_out(subject.vectors[chosen], subject.labels[chosen].tolist())
