"""How well words find pictures, without a server: `make quality IMAGES=FOLDER COMPARE=MODEL`.

Each folder's name, in lower case with spaces for underscores, is searched for among all pictures; what counts is how
many of the first min(30, size of the folder) are from that folder. Where pictures have captions, each caption is
searched for too, and what counts is whether its picture, or one with an equal caption, is among the first 1, 5 or 10.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline_encoder import models

from benchmarks.harness import pictures, results
from benchmarks.harness.pictures import Collection, Vectors, query_of

DEPTH = 30
CUTS = (1, 5, 10)


@dataclass
class Outcome:
    """What one model reaches on one collection."""

    name: str
    settings: dict[str, Any]
    precisions: dict[str, float] = field(default_factory=dict)
    recalls: dict[int, float] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def mean_precision(self) -> float:
        """The mean over classes, large and small alike."""
        return float(np.mean(list(self.precisions.values()))) if self.precisions else float("nan")

    def figures(self, prefix: str = "") -> dict[str, float]:
        """Return the figures by the names that others rely on."""
        found = {f"{prefix}mean_precision_at_{DEPTH}": self.mean_precision} if self.precisions else {}
        return found | {f"{prefix}caption_recall_at_{cut}": value for cut, value in self.recalls.items()}


def ranked(model: models.Model, texts: Sequence[str], vectors: Vectors, depth: int) -> list[NDArray[np.intp]]:
    """Return for each text the rows of the nearest pictures, the nearest first."""
    asked = pictures.encode_texts(model, texts) if texts else ()
    return [np.argsort(-(vectors @ vector), kind="stable")[:depth] for vector in asked]


def measure(found: Collection, choice: str | None) -> Outcome:
    """Embed a collection with one model and score it."""
    model = pictures.load(choice)
    began = time.monotonic()
    keys, vectors = pictures.embed_with(model, found)
    described = {
        "model": model.id,
        "runtime": model.runtime,
        "device": model.device,
        "pictures_per_second": round(len(keys) / (time.monotonic() - began), 1),
    }
    outcome = Outcome(choice or model.id, described)
    labels = np.array([found.label(key) or "" for key in keys])
    outcome.sizes = dict(sorted(Counter(label for label in labels.tolist() if label).items()))
    rankings = ranked(model, [query_of(label) for label in outcome.sizes], vectors, DEPTH)
    for (label, size), ranking in zip(outcome.sizes.items(), rankings, strict=True):
        outcome.precisions[label] = float(np.mean(labels[ranking[: min(DEPTH, size)]] == label))
    captions = np.array([found.captions.get(key, "") for key in keys])
    asked = [caption for caption in captions.tolist() if caption]
    rankings = ranked(model, asked, vectors, max(CUTS))
    hits = [captions[ranking] == caption for ranking, caption in zip(rankings, asked, strict=True)]
    if hits:
        outcome.recalls = {cut: float(np.mean([hit[:cut].any() for hit in hits])) for cut in CUTS}
    return outcome


def show(found: Collection, outcomes: list[Outcome]) -> None:
    """Print the table by class, and draw it."""
    first = outcomes[0]
    order = sorted(first.precisions, key=lambda label: -first.precisions[label])
    rows: list[list[object]] = [
        [label, first.sizes[label], *(each.precisions[label] for each in outcomes)] for label in order
    ]
    rows.append(["mean", sum(first.sizes.values()), *(outcome.mean_precision for outcome in outcomes)])
    results.show(["class", "pictures", *(f"p@{DEPTH} {outcome.name}" for outcome in outcomes)], rows)
    if first.recalls:
        rows = [[f"recall@{cut}", *(outcome.recalls[cut] for outcome in outcomes)] for cut in CUTS]
        results.show(["captions", *(each.name for each in outcomes)], rows, f"{len(found.captions):,} captions")
    title = f"Precision of the first {DEPTH} for each folder's name: {found.name}"
    series = {each.name: {query_of(label): each.precisions.get(label, 0) for label in order} for each in outcomes}
    results.draw_bars(f"quality-{found.name}", title, series)


def main() -> None:
    """Measure, print, draw and write."""
    options = results.options("quality", __doc__, "a folder whose folders are labels", compare=(str, None))
    found = pictures.find(options.images)
    # The second model first: one that cannot be had is better known before the other is measured.
    outcomes = [measure(found, choice) for choice in filter(None, [options.compare])]
    outcomes.insert(0, measure(found, None))
    show(found, outcomes)
    figures = outcomes[0].figures()
    settings = {"images": str(found.folder), "pictures": len(found.keys), **outcomes[0].settings}
    if len(outcomes) > 1:
        figures |= outcomes[1].figures("compare_")
        settings["compare"] = outcomes[1].settings
    classes = {outcome.name: outcome.precisions for outcome in outcomes}
    results.write(f"quality-{found.name}", settings=settings, figures=figures, classes=classes)


if __name__ == "__main__":
    main()
