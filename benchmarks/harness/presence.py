"""Searches for what is there and for what is not, and what the probabilities of their results are worth.

Each of some folders, and what several are kinds of, is asked for with its pictures there and left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sightline_encoder.models import Model
from sightline_search_gateway.exports import (
    LIKELY,
    POSSIBLE,
    Calibration,
    Coefficients,
    VocabularyEmbeddings,
    calibrate,
    falling,
    picture_features,
    text_features,
)
from sklearn.metrics import roc_auc_score

from benchmarks.harness import pictures
from benchmarks.harness.held import Pictures, as_images, first_results
from benchmarks.harness.kinds import general_words
from benchmarks.harness.pictures import Vectors, query_of
from benchmarks.harness.ranking import Rows

SHOWN = 50
"""Results of each search whose probabilities are checked."""
FEWEST = 3
"""Pictures that a folder needs to be searched for."""
PICTURES_EACH = 6
BINS = 10
SEED = 5
Floats = NDArray[np.float64]


class Search(NamedTuple):
    """One search.

    Attributes:
        name: What was asked for.
        folders: Those of the pictures that it means.
        is_there: Whether these were there.
        features: (n, k) of its first results, in the order in which they are shown.
        is_right: (n,) whether each is of the folders.
    """

    name: str
    folders: frozenset[str]
    is_there: bool
    features: Floats
    is_right: NDArray[np.bool_]


class Text(NamedTuple):
    """A text to search for: its name, its vector, and the folders of the pictures that it means."""

    name: str
    vector: Vectors
    folders: frozenset[str]


def judged(by: Coefficients, search: Search) -> Floats:
    """Return how likely each result is, (n,), as the gateway has it."""
    return falling(by.probabilities(search.features))


@dataclass(frozen=True)
class Labelled:
    """A collection of n pictures with (n,) labels, and what random words find in it."""

    rows: Rows
    labels: NDArray[np.str_]
    calibration: Calibration

    @classmethod
    def of(cls, rows: Rows, labels: NDArray[np.str_], words: VocabularyEmbeddings) -> Labelled:
        """Calibrate a collection."""
        held = Pictures(as_images([str(place) for place in range(len(labels))], labels.tolist()), rows)
        calibration = calibrate(held, words)  # type: ignore[arg-type]
        assert calibration is not None
        return cls(rows, labels, calibration)

    @property
    def names(self) -> list[str]:
        """The labels of enough pictures."""
        return sorted(name for name, size in Counter(self.labels.tolist()).items() if name and size >= FEWEST)

    def some(self, each: int, words: VocabularyEmbeddings) -> Labelled:
        """Return the collection with at most so many pictures of each folder."""
        random = np.random.default_rng(SEED)
        places = [random.permutation(np.flatnonzero(self.labels == one))[:each] for one in np.unique(self.labels)]
        chosen = np.concatenate(places)
        rows = Rows(self.rows.vectors[chosen], self.rows.visual[chosen], self.rows.reranking)
        return Labelled.of(rows, self.labels[chosen], words)

    def text_searches(self, texts: Sequence[Text], words: VocabularyEmbeddings) -> Iterator[Search]:
        """Search for texts, with the pictures that they mean there and left out."""
        for text in texts:
            is_meant = np.isin(self.labels, list(text.folders))
            for is_there in (True, False):
                first, places = first_results(
                    self.rows, text.vector, np.flatnonzero(~is_meant | is_there), by_text=True
                )
                visual = self.rows.visual[places]
                features = text_features(text.vector, first, words, self.calibration, visual)
                yield Search(text.name, text.folders, is_there, features, is_meant[places])

    def picture_searches(self, names: Sequence[str] | None = None) -> Iterator[Search]:
        """Search by some pictures of each folder, or of some, with the folder's others there and left out."""
        random = np.random.default_rng(SEED)
        for name in self.names if names is None else names:
            for picture in random.permutation(np.flatnonzero(self.labels == name))[:PICTURES_EACH]:
                for is_there in (True, False):
                    among = np.flatnonzero((self.labels != name) | is_there)
                    vector, among = self.rows.visual[picture], among[among != picture]
                    first, places = first_results(self.rows, vector, among, by_text=False)
                    similarities, visual = first.similarities[first.order], self.rows.visual[places]
                    features = picture_features(first, self.calibration, similarities, visual)
                    yield Search(name, frozenset({name}), is_there, features, self.labels[places] == name)


def figures_of(searches: Sequence[Search], probabilities: Sequence[Floats], named: set[str]) -> dict[str, float]:
    """Return what the probabilities are worth."""
    first = np.array([each[0] for each in probabilities])
    is_there = np.array([search.is_there for search in searches])
    are_named = np.array([search.name in named for search in searches])
    shown = np.concatenate([each[:SHOWN] for each in probabilities])
    is_right = np.concatenate([search.is_right[:SHOWN] for search in searches])
    likely = shown >= LIKELY
    return {
        "auroc": roc_auc_score(is_there, first),
        "auroc_named": roc_auc_score(is_there[are_named], first[are_named]) if are_named.any() else float("nan"),
        "nothing_wrongly": float((first[is_there] < POSSIBLE).mean()),
        "nothing_rightly": float((first[~is_there] < POSSIBLE).mean()),
        "no_likely_wrongly": float((first[is_there] < LIKELY).mean()),
        "no_likely_rightly": float((first[~is_there] < LIKELY).mean()),
        "likely_precision": float(is_right[likely].mean()) if likely.any() else float("nan"),
        "likely_recall": float(likely[is_right].mean()) if is_right.any() else float("nan"),
        "result_auroc": roc_auc_score(is_right, shown) if is_right.any() and not is_right.all() else float("nan"),
        "calibration_error": calibration_error(shown, is_right),
    }


def calibration_error(probabilities: Floats, is_right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error: the mean distance between probability and share, over bins."""
    return sum(len(each) * abs(said - true) for said, true, each in binned(probabilities, is_right)) / len(is_right)


def binned(probabilities: Floats, is_right: NDArray[np.bool_]) -> Iterator[tuple[float, float, NDArray[np.bool_]]]:
    """Yield of each tenth of the scale the mean probability, the share that is right, and those in it."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    for number in range(BINS):
        inside = is_right[bins == number]
        if len(inside):
            yield float(probabilities[bins == number].mean()), float(inside.mean()), inside


def texts_for(model: Model, folders: Sequence[str]) -> tuple[list[Text], list[Text]]:
    """Return folders' names as texts, and words for what several of them are kinds of, where such are known."""
    names = {folder: {folder} for folder in folders}
    kinds = general_words(folders)
    vectors = iter(pictures.encode_texts(model, [*map(query_of, names), *kinds]))
    said = [[Text(name, next(vectors), frozenset(each)) for name, each in some.items()] for some in (names, kinds)]
    return said[0], said[1]
