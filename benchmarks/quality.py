"""How well words find pictures, without a server: `make quality IMAGES=FOLDER COMPARE=MODEL`.

What a text finds is put in order as the gateway does it for the model, and by its code.

Each folder's name, in lower case with spaces for underscores, is searched for among all pictures; what counts is how
many of the first min(30, size of the folder) are from that folder. So are words for what folders are kinds of, "animal"
or "vehicle", where these are known (`harness/kinds.py`), among the first 5 and 30. Pictures are compared with pictures:
how many of a picture's ten nearest are from its folder. Where pictures have captions, each caption is searched for too,
and what counts is whether its picture, or one with an equal caption, is among the first 1, 5 or 10.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline_encoder import models

from benchmarks.harness import pictures, results
from benchmarks.harness.kinds import general_words
from benchmarks.harness.pictures import Collection, Vectors, query_of
from benchmarks.harness.ranking import Rows

DEPTH = 30
GENERAL_CUTS = (5, 30)
SIMILAR = 10
CUTS = (1, 5, 10)


@dataclass(frozen=True)
class Score:
    """How well a class's name finds it: the share among the first min(depth, size), and what stands in its place."""

    name: str
    size: int
    counted: int
    precision: float
    instead: list[tuple[str, int]] = field(default_factory=list)


def scores(model: models.Model, labels: NDArray[np.str_], rows: Rows, depth: int) -> list[Score]:
    """Search for the name of each class among pictures with (n,) labels, empty for none; return a score each."""
    sizes = dict(sorted(Counter(label for label in labels.tolist() if label).items()))
    rankings = ranked(model, [query_of(name) for name in sizes], rows, depth)
    found = []
    for (name, size), ranking in zip(sizes.items(), rankings, strict=True):
        first = labels[ranking[: min(depth, size)]]
        others = Counter(label for label in first.tolist() if label and label != name)
        found.append(Score(name, size, len(first), float((first == name).mean()), others.most_common(2)))
    return found


def general(model: models.Model, labels: NDArray[np.str_], rows: Rows) -> tuple[dict[str, float], dict[int, float]]:
    """Search for what labels are kinds of; return each word's precision at 30, and the means by cut."""
    words = general_words(label for label in labels.tolist() if label)
    rankings = ranked(model, list(words), rows, max(GENERAL_CUTS))
    hits = [np.isin(labels[ranking], list(said)) for said, ranking in zip(words.values(), rankings, strict=True)]
    sizes = [int(np.isin(labels, list(said)).sum()) for said in words.values()]
    found = {
        cut: [float(hit[: min(cut, size)].mean()) for hit, size in zip(hits, sizes, strict=True)]
        for cut in GENERAL_CUTS
    }
    means = {cut: float(np.mean(values)) for cut, values in found.items() if values}
    return dict(zip(words, found[DEPTH], strict=True)), means


def similar_precision(labels: NDArray[np.str_], vectors: Vectors) -> float:
    """Return of each labelled picture's ten nearest others the share that has its label: the mean over labels.

    Of pictures whose label few others have, as many nearest are looked at as there are.
    """
    by_label: dict[str, list[float]] = {}
    sizes = Counter(labels.tolist())
    for row, label in enumerate(labels.tolist()):
        if label and sizes[label] > 1:
            nearness = vectors @ vectors[row]
            nearness[row] = -np.inf
            nearest = np.argsort(-nearness, kind="stable")[: min(SIMILAR, sizes[label] - 1)]
            by_label.setdefault(label, []).append(float((labels[nearest] == label).mean()))
    return float(np.mean([np.mean(shares) for shares in by_label.values()])) if by_label else float("nan")


def mean(found: Iterable[Score]) -> float:
    """Return the mean precision over classes, large and small alike; NaN of none."""
    precisions = [score.precision for score in found]
    return float(np.mean(precisions)) if precisions else float("nan")


@dataclass
class Outcome:
    """What one model reaches on one collection."""

    name: str
    settings: dict[str, Any]
    scores: list[Score]
    recalls: dict[int, float]
    similar: float = float("nan")
    general: dict[int, float] = field(default_factory=dict)
    words: dict[str, float] = field(default_factory=dict)

    @property
    def precisions(self) -> dict[str, float]:
        """The precision of each class, by name."""
        return {score.name: score.precision for score in self.scores}

    @property
    def figures(self) -> dict[str, float]:
        """The figures by the names that others rely on."""
        found = {f"mean_precision_at_{DEPTH}": mean(self.scores)} if self.scores else {}
        found |= {f"similar_precision_at_{SIMILAR}": self.similar} if np.isfinite(self.similar) else {}
        found |= {f"general_precision_at_{cut}": value for cut, value in self.general.items()}
        return found | {f"caption_recall_at_{cut}": value for cut, value in self.recalls.items()}


def ranked(model: models.Model, texts: Sequence[str], rows: Rows, depth: int) -> list[NDArray[np.intp]]:
    """Return for each text the places of the pictures that it finds, the best first."""
    return [rows.found(vector)[:depth] for vector in pictures.encode_texts(model, texts)] if texts else []


def measure(found: Collection, choice: str | None) -> Outcome:
    """Embed a collection with one model and score it."""
    model = pictures.load(choice)
    began = time.monotonic()
    keys, both = pictures.embed_with(model, found, visual=True)
    rows = Rows.of(model, both)
    described = {
        "model": model.id,
        "runtime": model.runtime,
        "device": model.device,
        "pictures_per_second": round(len(keys) / (time.monotonic() - began), 1),
    }
    labels = np.array([found.label(key) or "" for key in keys])
    captions = np.array([found.captions.get(key, "") for key in keys])
    asked = [caption for caption in captions.tolist() if caption]
    rankings = ranked(model, asked, rows, max(CUTS))
    hits = [captions[ranking] == caption for ranking, caption in zip(rankings, asked, strict=True)]
    recalls = {cut: float(np.mean([hit[:cut].any() for hit in hits])) for cut in CUTS} if hits else {}
    similar = similar_precision(labels, rows.visual)
    words, means = general(model, labels, rows)
    return Outcome(choice or model.id, described, scores(model, labels, rows, DEPTH), recalls, similar, means, words)


def show(found: Collection, outcomes: list[Outcome]) -> None:
    """Print the table by class, and draw it."""
    first, precisions = outcomes[0], [outcome.precisions for outcome in outcomes]
    order = sorted(first.scores, key=lambda score: -score.precision)
    rows: list[list[object]] = [[one.name, one.size, *(each[one.name] for each in precisions)] for one in order]
    rows.append(["mean", sum(one.size for one in order), *(mean(outcome.scores) for outcome in outcomes)])
    results.show(["class", "pictures", *(f"p@{DEPTH} {outcome.name}" for outcome in outcomes)], rows)
    if first.words:
        rows = [[word, *(outcome.words[word] for outcome in outcomes)] for word in first.words]
        rows += [[f"mean at {cut}", *(outcome.general[cut] for outcome in outcomes)] for cut in GENERAL_CUTS]
        results.show(["what it is", *(f"p@{DEPTH} {outcome.name}" for outcome in outcomes)], rows)
    if np.isfinite(first.similar):
        title = f"of a picture's {SIMILAR} nearest, in its folder"
        results.show(
            ["", *(outcome.name for outcome in outcomes)], [[title, *(outcome.similar for outcome in outcomes)]]
        )
    if first.recalls:
        rows = [[f"recall@{cut}", *(outcome.recalls[cut] for outcome in outcomes)] for cut in CUTS]
        results.show(["captions", *(each.name for each in outcomes)], rows, f"{len(found.captions):,} captions")
    title = f"Precision of the first {DEPTH} for each folder's name: {found.name}"
    series = {each.name: {query_of(one.name): each.precisions[one.name] for one in order} for each in outcomes}
    results.draw_bars(f"quality-{found.name}", title, series)


def main() -> None:
    """Measure, print, draw and write."""
    options = results.options("quality", __doc__, "a folder whose folders are labels", compare=(str, None))
    found = pictures.find(options.images)
    # The second model first: one that cannot be had is better known before the other is measured.
    outcomes = [measure(found, choice) for choice in filter(None, [options.compare])]
    outcomes.insert(0, measure(found, None))
    show(found, outcomes)
    figures = outcomes[0].figures
    settings = {"images": str(found.folder), "pictures": len(found.keys), **outcomes[0].settings}
    if len(outcomes) > 1:
        figures |= {f"compare_{name}": value for name, value in outcomes[1].figures.items()}
        settings["compare"] = outcomes[1].settings
    classes = {outcome.name: outcome.precisions for outcome in outcomes}
    results.write(f"quality-{found.name}", settings=settings, figures=figures, classes=classes)


if __name__ == "__main__":
    main()
