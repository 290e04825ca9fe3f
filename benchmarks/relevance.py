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
from collections.abc import Callable, Sequence

import numpy as np
from sightline_encoder.models.embedded import conse
from sightline_search_gateway.exports import PICTURE, TEXT, Coefficients
from sklearn.linear_model import LogisticRegression

from benchmarks.harness import pictures, results
from benchmarks.harness.held import vocabulary_of
from benchmarks.harness.pictures import query_of
from benchmarks.harness.presence import FEWEST, SHOWN, Floats, Labelled, Search, binned, figures_of, judged, texts_for
from benchmarks.harness.ranking import Rows

SMALLER = (10, 5)
"""The coefficients are fitted to collections with so many pictures of each folder, too."""
FOLDS = 10


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


def named_by_imagenet(names: Sequence[str]) -> set[str]:
    """Return those names that ImageNet has for a class."""
    known = {name.lower() for _, said, _ in conse.class_texts() for name in said.split(", ")}
    return {name for name in names if query_of(name).lower() in known}


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
    table = [[said, true, len(inside)] for said, true, inside in binned(shown, is_right)]
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
