"""What is measured of a collection by `make quality`: what goes in, and what one model reaches on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sightline_encoder import models

from benchmarks.harness import questions
from benchmarks.harness.bootstrap import Interval, difference, verdict
from benchmarks.harness.pictures import Collection
from benchmarks.harness.questions import CUTS, DEPTH, KINDS, Answers, Kind, Labels, Score, score
from benchmarks.harness.ranking import Rows
from benchmarks.harness.results import say

OLDER = {
    f"mean_precision_at_{DEPTH}": f"name_precision_at_{DEPTH}",
    "similar_precision_at_10": "picture_precision_at_10",
    "general_precision_at_5": "kind_precision_at_5",
    f"general_precision_at_{DEPTH}": f"kind_precision_at_{DEPTH}",
}
"""Names that figures have had for long, and others rely on."""
MEASURES = [*(f"{name}_at_{cut}" for name in ("precision", "recall") for cut in CUTS), "map"]
TELLING: dict[Kind, str] = {
    "name": f"precision_at_{DEPTH}",
    "kind": f"precision_at_{DEPTH}",
    "picture": "precision_at_10",
    "caption": "recall_at_10",
}
"""The measure that says most, by which two models are compared."""
SAID = {
    f"precision_at_{DEPTH}": f"right among the first {DEPTH}",
    "precision_at_10": "right among the first 10",
    "recall_at_10": "found among the first 10",
    "map": "overall, by mAP",
}
FLOORED = [*OLDER, *(f"{kind}_{name}" for kind in KINDS for name in [*MEASURES, "auroc"])]


@dataclass(frozen=True)
class Input:
    """What is measured: pictures that can be read, what they are labelled, and captions: the key and the text of each.

    Attributes:
        found: The folder.
        captions: Of pictures in it.
        keys: Of the n pictures that every model could read.
    """

    found: Collection
    captions: list[tuple[str, str]]
    keys: list[str]

    @property
    def labels(self) -> Labels:
        """The (n,) labels; empty for none."""
        return np.array([self.found.label(key) or "" for key in self.keys])


@dataclass
class Outcome:
    """What one model reaches on one collection."""

    name: str
    settings: dict[str, Any]
    answers: dict[Kind, Answers]
    scores: list[Score] = field(default_factory=list)
    caption_keys: list[str] = field(default_factory=list)

    @property
    def precisions(self) -> dict[str, float]:
        """The precision of each class, by name."""
        return {score.name: score.precision for score in self.scores}

    @property
    def figures(self) -> dict[str, float]:
        """The figures by the names that others rely on."""
        found = {f"{kind}_{name}": value for kind, one in self.answers.items() for name, value in one.means().items()}
        return {old: found[name] for old, name in OLDER.items() if name in found} | found


def measure(given: Input, model: models.Model, rows: Rows, name: str) -> Outcome:
    """Ask one model's vectors of a collection everything that can be asked, and score it."""
    labels = given.labels
    answers: dict[Kind, Answers] = {}
    say(f"{name}: asking for folders' names, and what they are kinds of")
    answers["name"] = questions.ask_names(model, labels, rows)
    answers["kind"] = questions.ask_kinds(model, labels, rows)
    say(f"{name}: asking for pictures like some")
    answers["picture"] = questions.ask_pictures(labels, rows.visual)
    say(f"{name}: asking for {len(given.captions):,} captions")
    answers["caption"], keys = questions.ask_captions(model, given.keys, given.captions, rows)
    described: dict[str, Any] = {"model": model.id, "runtime": model.runtime, "device": model.device}
    described["reranked"] = rows.reranking is not None
    by_name = zip(answers["name"].asked, answers["name"].first, strict=True)
    scores = [score(one, labels, first, DEPTH) for one, first in by_name]
    asked = {kind: one for kind, one in answers.items() if one.asked}
    return Outcome(name, described, asked, scores, keys)


@dataclass(frozen=True)
class Difference:
    """By how much the second of two models is better, by one measure.

    Attributes:
        kind: What was asked.
        measure: By its name.
        ours, others: The means.
        found: Of the others less ours.
        verdict: A sentence on it.
    """

    kind: Kind
    measure: str
    ours: float
    others: float
    found: Interval
    verdict: str


def compared(outcomes: Sequence[Outcome]) -> list[Difference]:
    """Return the differences between two outcomes of the same questions; none of one."""
    if len(outcomes) < 2:
        return []
    differences = []
    for kind, ours in outcomes[0].answers.items():
        others = outcomes[1].answers[kind]
        for name in (TELLING[kind], "map"):
            values = ours.measures[name], others.measures[name]
            found = difference(*values)
            said = verdict(found, f"{KINDS[kind]} ({SAID[name]})", outcomes[1].name)
            means = [float(each.mean()) for each in values]
            differences.append(Difference(kind, name, means[0], means[1], found, said))
    return differences
