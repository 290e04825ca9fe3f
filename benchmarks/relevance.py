"""How well it is told what a search found: `make relevance IMAGES=FOLDER`, whose folders are labels.

Each folder's name is searched for among all pictures, and among those of the other folders alone; so are words for what
several folders are kinds of, and some pictures of each, with the rest of their folder there and left out. What counts
is how well the probability of the first result tells the two apart (AUROC), how often a search says that nothing is
there, and whether the probabilities of all results are right: of those near 0.7 some 70 % should be of the folder. All
of it is measured with the coefficients that the gateway has, and with ones that were fitted to the other folders; then
those that all folders give are printed, which is where the gateway's come from.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sightline_encoder.models import Model
from sightline_encoder.models.embedded import conse
from sightline_search_gateway.exports import (
    LIKELY,
    PICTURE,
    POSSIBLE,
    TEXT,
    Calibration,
    Coefficients,
    VocabularyEmbeddings,
    calibrate,
    falling,
    picture_features,
    text_features,
)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from benchmarks.harness import pictures, results
from benchmarks.harness.held import Pictures, as_images, first_results, vocabulary_of
from benchmarks.harness.kinds import general_words
from benchmarks.harness.pictures import Vectors, query_of
from benchmarks.harness.ranking import Rows

SHOWN = 50
"""Results of each search whose probabilities are checked."""
FEWEST = 3
"""Pictures that a folder needs to be searched for."""
SMALLER = (10, 5)
"""The coefficients are fitted to collections with so many pictures of each folder, too."""
PICTURES_EACH = 6
FOLDS = 10
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

    def picture_searches(self) -> Iterator[Search]:
        """Search for some pictures of each folder, without themselves, with the others there and left out."""
        random = np.random.default_rng(SEED)
        for name in self.names:
            for picture in random.permutation(np.flatnonzero(self.labels == name))[:PICTURES_EACH]:
                for is_there in (True, False):
                    among = np.flatnonzero((self.labels != name) | is_there)
                    vector, among = self.rows.visual[picture], among[among != picture]
                    first, places = first_results(self.rows, vector, among, by_text=False)
                    similarities, visual = first.similarities[first.order], self.rows.visual[places]
                    features = picture_features(first, self.calibration, similarities, visual)
                    yield Search(name, frozenset({name}), is_there, features, self.labels[places] == name)


def fit(collections: Sequence[Sequence[Search]]) -> Coefficients:
    """Return the coefficients that fit the searches of some collections best, each collection counting the same."""
    features = [np.concatenate([search.features for search in searches]) for searches in collections]
    is_right = [np.concatenate([search.is_right for search in searches]) for searches in collections]
    weights = [np.full(len(each), 1 / len(each)) for each in features]
    weight = np.concatenate(weights)
    model = LogisticRegression(C=100).fit(
        np.concatenate(features), np.concatenate(is_right), sample_weight=weight * len(weight) / weight.sum()
    )
    return Coefficients(model.coef_[0], float(model.intercept_[0]))


def fitted_apart(searches: Sequence[Search], collections: Sequence[Sequence[Search]]) -> list[Floats]:
    """Return the probabilities of each search by coefficients that know nothing of its folders."""
    names = sorted({search.name for search in searches})
    found: dict[str, Coefficients] = {}
    for fold in range(FOLDS):
        apart = set(names[fold::FOLDS])
        folders = frozenset().union(*(search.folders for search in searches if search.name in apart))
        others = [[search for search in each if not folders & search.folders] for each in collections]
        if apart and all(others):
            found |= dict.fromkeys(apart, fit(others))
    if len(found) < len(names):
        sys.exit("there are too few folders to measure by: some always have to be left out")
    return [judged(found[search.name], search) for search in searches]


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
        "likely_recall": float(likely[is_right].mean()),
        "result_auroc": roc_auc_score(is_right, shown),
        "calibration_error": calibration_error(shown, is_right),
    }


def calibration_error(probabilities: Floats, is_right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error: the mean distance between probability and share, over bins."""
    return sum(len(each) * abs(said - true) for said, true, each in _bins(probabilities, is_right)) / len(is_right)


def _bins(probabilities: Floats, is_right: NDArray[np.bool_]) -> Iterator[tuple[float, float, NDArray[np.bool_]]]:
    """Yield of each tenth of the scale the mean probability, the share that is right, and those in it."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    for number in range(BINS):
        inside = is_right[bins == number]
        if len(inside):
            yield float(probabilities[bins == number].mean()), float(inside.mean()), inside


def named_by_imagenet(names: Sequence[str]) -> set[str]:
    """Return those names that ImageNet has for a class."""
    known = {name.lower() for _, said, _ in conse.class_texts() for name in said.split(", ")}
    return {name for name in names if query_of(name).lower() in known}


def texts_for(model: Model, folders: Sequence[str]) -> tuple[list[Text], list[Text]]:
    """Return folders' names as texts, and words for what several of them are kinds of, where such are known."""
    names = {folder: {folder} for folder in folders}
    kinds = general_words(folders)
    vectors = iter(pictures.encode_texts(model, [*map(query_of, names), *kinds]))
    said = [[Text(name, next(vectors), frozenset(each)) for name, each in some.items()] for some in (names, kinds)]
    return said[0], said[1]


def measure(
    kind: str,
    searches: Sequence[Search],
    collections: Sequence[Sequence[Search]],
    now: Coefficients,
    named: Callable[[Sequence[str]], set[str]] = named_by_imagenet,
) -> dict[str, float]:
    """Print what is measured of one kind of search, and return it."""
    known = named(sorted({search.name for search in searches}))
    ours = [judged(now, search) for search in searches]
    apart = fitted_apart(searches, collections)
    found, theirs = figures_of(searches, ours, known), figures_of(searches, apart, known)
    rows = [[name.replace("_", " "), value, theirs[name]] for name, value in found.items()]
    results.show([kind, "as it is", "fitted to the other folders"], rows, f"{len(searches) // 2:,} asked for")
    shown = np.concatenate([each[:SHOWN] for each in ours])
    is_right = np.concatenate([search.is_right[:SHOWN] for search in searches])
    table = [[said, true, len(inside)] for said, true, inside in _bins(shown, is_right)]
    results.show(["probability", "right", "results"], table)
    fitted = fit(collections)
    results.say(f"{kind}, fitted to all: {np.round(fitted.of, 2).tolist()}, {fitted.intercept:.2f}")
    return {f"{kind}_{name}": value for name, value in found.items()} | {
        f"{kind}_apart_{name}": value for name, value in theirs.items()
    }


def main() -> None:
    """Measure, print and write."""
    found = pictures.find(results.options("relevance", __doc__, "a folder whose folders are labels").images)
    model = pictures.load(None)
    keys, both = pictures.embed_with(model, found, visual=True)
    labels = np.array([found.label(key) or "" for key in keys])
    words = vocabulary_of(model)
    whole = Labelled.of(Rows.of(model, both), labels, words)
    if not whole.names:
        sys.exit(f"{found.folder} has no folder of {FEWEST} pictures or more to search for")
    names, kinds = texts_for(model, whole.names)
    collections = [whole, *(whole.some(each, words) for each in SMALLER)]
    texts = [list(each.text_searches([*names, *kinds], words)) for each in collections]
    by_picture = [list(each.picture_searches()) for each in collections]
    figures = measure("text", texts[0][: 2 * len(names)], texts, TEXT)
    if kinds:
        figures |= measure("kind", texts[0][2 * len(names) :], texts, TEXT)
    figures |= measure("picture", by_picture[0], by_picture, PICTURE)
    settings = {"images": str(found.folder), "pictures": len(keys), "model": model.id}
    results.write(f"relevance-{found.name}", settings=settings, figures=figures)


if __name__ == "__main__":
    main()
