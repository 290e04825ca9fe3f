"""Whether one collection's answers are honest: told present from absent, right about probabilities, and complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sightline_catalogue import CatalogueSettings
from sightline_encoder.models import Model
from sightline_search_gateway.exports import LIKELY, PICTURE, POSSIBLE, TEXT, Coefficients

from benchmarks.harness.bootstrap import Interval, interval, share
from benchmarks.harness.held import vocabulary_of
from benchmarks.harness.pictures import Vectors
from benchmarks.harness.presence import SHOWN, Labelled, Search, binned, figures_of, judged, texts_for
from benchmarks.harness.questions import Kind, Labels, classes
from benchmarks.harness.ranking import Rows
from benchmarks.harness.vectors import built, exact, recall

MOST_CLASSES = 200
"""Of more classes, so many are drawn at random and left out in turn."""
NEAREST, MOST_QUERIES, MOST_INDEXED = 50, 200, 100_000
SEED = 17
LEFT_OUT = ("auroc_named",)


@dataclass(frozen=True)
class Bin:
    """Results of like probability: what was said on average, the share that is right, how many."""

    said: float
    right: float
    count: int


@dataclass(frozen=True)
class Told:
    """How well searches of one kind tell whether what is asked for is there.

    Attributes:
        figures: By name, as `make relevance` has them.
        bins: The first results of all searches, by probability.
        wrongly: Of searches whose pictures are there, the share that says "nothing here".
        rightly: The same of those whose pictures were left out.
        unsure_wrongly, unsure_rightly: The same of those that say at least "perhaps nothing here".
    """

    figures: dict[str, float]
    bins: list[Bin]
    wrongly: Interval
    rightly: Interval
    unsure_wrongly: Interval
    unsure_rightly: Interval

    @classmethod
    def of(cls, searches: Sequence[Search], by: Coefficients) -> Told:
        """Judge searches, each with its pictures there and left out, as the gateway does."""
        probabilities = [judged(by, search) for search in searches]
        says_nothing, is_unsure = (
            np.array([each[0] < least for each in probabilities]) for least in (POSSIBLE, LIKELY)
        )
        is_there = np.array([search.is_there for search in searches])
        shown = np.concatenate([each[:SHOWN] for each in probabilities])
        is_right = np.concatenate([search.is_right[:SHOWN] for search in searches])
        figures = figures_of(searches, probabilities, set())
        return cls(
            {name: value for name, value in figures.items() if name not in LEFT_OUT},
            [Bin(said, true, len(inside)) for said, true, inside in binned(shown, is_right)],
            wrongly=share(says_nothing[is_there]),
            rightly=share(says_nothing[~is_there]),
            unsure_wrongly=share(is_unsure[is_there]),
            unsure_rightly=share(is_unsure[~is_there]),
        )


@dataclass
class Honesty:
    """What was measured of a collection; empty where it has too few pictures or folders for it."""

    told: dict[Kind, Told] = field(default_factory=dict)
    engine: dict[Kind, Interval] = field(default_factory=dict)

    def figures(self) -> dict[str, float]:
        """Return the figures by name."""
        found = {f"{kind}_{name}": value for kind, told in self.told.items() for name, value in told.figures.items()}
        found = {name: value for name, value in found.items() if np.isfinite(value)}
        return found | {f"{kind}_engine_recall_at_{NEAREST}": one.mean for kind, one in self.engine.items()}


def tell(model: Model, labels: Labels, rows: Rows) -> dict[Kind, Told]:
    """Ask for folders that are there and left out: by names, by kinds of things, by pictures."""
    words = vocabulary_of(model)
    whole = Labelled.of(rows, labels, words)
    # A folder of everything cannot be left out.
    names = [name for name in whole.names if name in set(classes(labels)) and not (labels == name).all()]
    drawn = sorted(np.random.default_rng(SEED).permutation(names)[:MOST_CLASSES].tolist())
    if not drawn:
        return {}
    by_name, by_kind = texts_for(model, drawn)
    by_kind = [text for text in by_kind if not np.isin(labels, list(text.folders)).all()]
    found: dict[Kind, Told] = {"name": Told.of(list(whole.text_searches(by_name, words)), TEXT)}
    if by_kind:
        found["kind"] = Told.of(list(whole.text_searches(by_kind, words)), TEXT)
    return found | {"picture": Told.of(list(whole.picture_searches(drawn)), PICTURE)}


def engine_recall(vectors: Vectors, asked: Vectors, *, by_text: bool) -> Interval:
    """Return which share of an exact search's nearest the database's engine finds, with the gateway's settings.

    Args:
        vectors: (n, d) of the pictures; of more than 100,000, the first of these are searched.
        asked: (m, d) to search for.
        by_text: Whether they are of texts.
    """
    part = vectors[:MOST_INDEXED]
    chosen = asked[np.sort(np.random.default_rng(SEED).permutation(len(asked))[:MOST_QUERIES])]
    with built(part) as shard:
        shares = [
            recall(part, one, shard.search(one, NEAREST, by_text=by_text), exact(part, one, NEAREST)) for one in chosen
        ]
    return interval(np.array(shares))


def described() -> dict[str, object]:
    """Return the settings that the engine searches with."""
    return CatalogueSettings().model_dump(include={"hnsw_ef", "oversampling"})
