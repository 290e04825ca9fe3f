"""What it helps to say more: what is not wanted, which results are right or wrong: `make refining IMAGES=FOLDER`.

The folders are labels. *Not*: a word for several folders ("animal"), or a folder's name, is searched for without one
that it finds, named or shown by a picture; what counts is the share of that folder among the first 30 with and without,
and how much of the others is what was wanted; and what is lost where the folder that is not wanted is not there. Taking
the vector off, as a negative weight does, stands beside. *Marked*: of a folder's name's first 20 results, the first
right and the first wrong ones are marked, and left out of the measure: the share of right ones in the next 20.
*Diversity*: how many folders are among the first 20, and how many of these are right.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import Nearest
from sightline_search_gateway.exports import (
    FOUND,
    LIKELY,
    FirstLook,
    FirstResults,
    Unwanted,
    VocabularyEmbeddings,
    Wishes,
    unwanted_by_text,
)

from benchmarks.harness import pictures, results
from benchmarks.harness.held import vocabulary_of
from benchmarks.harness.pictures import Vectors
from benchmarks.harness.presence import Labelled, Text, texts_for
from benchmarks.harness.ranking import Rows

SHOWN, MARKED_AMONG = 30, 20
ALIKE_FEWEST = 3
"""A folder is asked for without another one that has so many of the first 30 results."""
TAKEN_OFF = 0.5
CLICKS = ((0, 0), (1, 0), (0, 1), (1, 1), (3, 0), (3, 3), (5, 5))
DIVERSITIES = (0.0, 0.3, 0.5, 0.7)
SEED = 7
Places = NDArray[np.intp]


class Pair(NamedTuple):
    """A text that is searched for without a folder.

    Attributes:
        text: (dimensions,) of what is looked for.
        wanted: The folders that it means but for the one that is not wanted.
        name: (dimensions,) of the name of that folder.
        folder: That folder.
    """

    text: Vectors
    wanted: frozenset[str]
    name: Vectors
    folder: str


@dataclass(frozen=True)
class Searched:
    """A collection that is searched as the gateway does it."""

    held: Labelled
    words: VocabularyEmbeddings

    def found(self, text: Vectors, among: Places, wishes: Wishes | None = None, diversity: float = 0.0) -> Places:
        """Return the places of all pictures, in the order in which a text finds them."""
        return self._look(text, among, wishes, diversity)[0]

    def likely(self, text: Vectors, wishes: Wishes | None) -> Places:
        """Return the places of the likely results of a text."""
        places, look = self._look(text, np.arange(len(self.held.labels)), wishes)
        rows = self.held.rows
        nothing = Nearest([], np.empty(0, np.float32), rows.vectors[:0], rows.visual[:0])
        probabilities, _ = look.probabilities(self.words, self.held.calibration, nothing, 0)
        return places[: int((probabilities >= LIKELY).sum())]

    def _look(
        self, text: Vectors, among: Places, wishes: Wishes | None, diversity: float = 0.0
    ) -> tuple[Places, FirstLook]:
        rows = self.held.rows
        look = FirstLook(rows.reranking, text, wishes, diversity)
        reordering = look.reordering()
        similarities = rows.vectors[among] @ text
        nearest = np.argsort(-similarities, kind="stable")
        first, rest = nearest[: reordering.depth], nearest[reordering.depth :]
        places = among[first]
        order = reordering.order(similarities[first], rows.vectors[places], rows.visual[places])
        return np.concatenate([places[order], among[rest]]), look

    def wishes(
        self, unwanted: Sequence[Unwanted] = (), liked: Sequence[int] = (), disliked: Sequence[int] = ()
    ) -> Wishes:
        """Return what is known of a search beside its text; marked results by their places."""
        visual = self.held.rows.visual
        return Wishes(unwanted, visual[list(liked)], visual[list(disliked)], self.held.calibration.chance, self.words)

    def unwanted(self, text: Vectors, wanted: Vectors, among: Places) -> Unwanted:
        """Return what a text that is not wanted means here beside one that is looked for, as the gateway has it."""
        rows = self.held.rows
        similarities = rows.vectors[among] @ text
        nearest = np.argsort(-similarities, kind="stable")[:FOUND]
        places = among[nearest]
        first = FirstResults(similarities[nearest], rows.vectors[places], rows.visual[places], np.arange(len(places)))
        return unwanted_by_text(text, first, self.words, self.held.calibration, wanted)


def alike_pairs(searched: Searched, names: Sequence[Text]) -> Iterator[Pair]:
    """Yield each folder's name without the folder that it finds most of the others, if it is many."""
    labels, by_folder = searched.held.labels, {text.name: text for text in names}
    for text in names:
        places = searched.found(text.vector, np.arange(len(labels)))
        others = Counter(label for label in labels[places[:SHOWN]].tolist() if label != text.name)
        folder, count = next(iter(others.most_common(1)), ("", 0))
        if count >= ALIKE_FEWEST and folder in by_folder:
            yield Pair(text.vector, text.folders, by_folder[folder].vector, folder)


def kind_pairs(names: Sequence[Text], kinds: Sequence[Text]) -> Iterator[Pair]:
    """Yield each word for several folders without each of these."""
    by_folder = {text.name: text for text in names}
    for kind in kinds:
        for folder in sorted(kind.folders if len(kind.folders) > 1 else ()):
            if folder in by_folder:
                yield Pair(kind.vector, kind.folders - {folder}, by_folder[folder].vector, folder)


def measure_not(kind: str, searched: Searched, pairs: Sequence[Pair]) -> dict[str, float]:
    """Print how much less there is of what is not wanted, and return it."""
    held = searched.held
    random = np.random.default_rng(SEED)
    shown = {pair.folder: int(random.choice(np.flatnonzero(held.labels == pair.folder))) for pair in pairs}
    everything = np.arange(len(held.labels))

    def without(pair: Pair, among: Places) -> Places:
        return searched.found(pair.text, among)

    def taken_off(pair: Pair, among: Places) -> Places:
        left = pair.text - TAKEN_OFF * pair.name
        return searched.found(left / np.linalg.norm(left), among)

    def by_text(pair: Pair, among: Places) -> Places:
        return searched.found(pair.text, among, searched.wishes([searched.unwanted(pair.name, pair.text, among)]))

    def by_picture(pair: Pair, among: Places) -> Places:
        return searched.found(pair.text, among, searched.wishes([Unwanted(held.rows.visual[shown[pair.folder]])]))

    rows, figures = [], dict[str, float]()
    methods: dict[str, Callable[[Pair, Places], Places]] = {
        "without": without,
        "taken off": taken_off,
        "not": by_text,
        "not, by a picture": by_picture,
    }
    for name, method in methods.items():
        unwanted, right, rest, absent = [], [], [], []
        for pair in pairs:
            labels = held.labels[method(pair, everything)[:SHOWN]]
            is_unwanted = labels == pair.folder
            unwanted.append(is_unwanted.mean())
            others = labels[~is_unwanted]
            right.append(np.isin(labels, list(pair.wanted)).mean())
            rest.append(np.isin(others, list(pair.wanted)).mean() if len(others) else np.nan)
            left = held.labels[method(pair, np.flatnonzero(held.labels != pair.folder))[:SHOWN]]
            absent.append(np.isin(left, list(pair.wanted)).mean())
        found = {
            "unwanted": np.mean(unwanted),
            "right": np.mean(right),
            "rest_right": np.nanmean(rest),
            "absent_right": np.mean(absent),
        }
        rows.append([name, *found.values()])
        figures |= {
            f"{kind}_{name.replace(', by a', '').replace(' ', '_')}_{key}": float(one) for key, one in found.items()
        }
    results.show(
        [f"{kind} not", "unwanted in 30", "right in 30", "right of the others", "right in 30, unwanted not there"],
        rows,
        f"{len(pairs)} pairs",
    )
    return figures


def measure_marked(searched: Searched, names: Sequence[Text]) -> dict[str, float]:
    """Print how right the next results are after some were marked, and return it."""
    held = searched.held
    everything = np.arange(len(held.labels))
    rows, figures = [], dict[str, float]()
    for right, wrong in CLICKS:
        shares: list[float] = []
        plain: list[float] = []
        likely: list[NDArray[np.bool_]] = []
        for text in names:
            first = searched.found(text.vector, everything)
            is_right = np.isin(held.labels[first[:MARKED_AMONG]], list(text.folders))
            liked = first[:MARKED_AMONG][is_right][:right].tolist()
            disliked = first[:MARKED_AMONG][~is_right][:wrong].tolist()
            wishes = searched.wishes(liked=liked, disliked=disliked) if liked or disliked else None
            found = searched.found(text.vector, everything, wishes)
            likely.append(np.isin(held.labels[searched.likely(text.vector, wishes)], list(text.folders)))
            for order, into in ((found, shares), (first, plain)):
                rest = order[~np.isin(order, liked + disliked)]
                into.append(np.isin(held.labels[rest[:20]], list(text.folders)).mean())
        name = f"{right} right, {wrong} wrong"
        right_of_likely = np.concatenate(likely)
        rows.append([name, np.mean(plain), np.mean(shares), right_of_likely.mean(), len(right_of_likely)])
        figures[f"marked_{right}_{wrong}_plain"] = float(np.mean(plain))
        figures[f"marked_{right}_{wrong}"] = float(np.mean(shares))
        figures[f"marked_{right}_{wrong}_likely_precision"] = float(right_of_likely.mean())
    headers = ["marked", "right in the next 20 without", "right in the next 20", "of the likely, right", "likely"]
    results.show(headers, rows, f"{len(names)} names")
    return figures


def measure_diversity(kind: str, searched: Searched, texts: Sequence[Text]) -> dict[str, float]:
    """Print how many folders are among the first 20 by diversity, and return it."""
    held = searched.held
    rows, figures = [], dict[str, float]()
    for diversity in DIVERSITIES:
        folders, right = [], []
        for text in texts:
            places = searched.found(text.vector, np.arange(len(held.labels)), diversity=diversity)
            labels = held.labels[places[:20]]
            is_right = np.isin(labels, list(text.folders))
            folders.append(len(set(labels[is_right].tolist())))
            right.append(is_right.mean())
        rows.append([diversity, np.mean(folders), np.mean(right)])
        figures[f"{kind}_folders_{diversity}"] = float(np.mean(folders))
        figures[f"{kind}_right_{diversity}"] = float(np.mean(right))
    results.show([f"{kind}, diversity", "right folders in 20", "right in 20"], rows, f"{len(texts)} texts")
    return figures


def main() -> None:
    """Measure, print and write."""
    found = pictures.find(results.options("refining", __doc__, "a folder whose folders are labels").images)
    model = pictures.load(None)
    keys, both = pictures.embed_with(model, found, visual=True)
    labels = np.array([found.label(key) or "" for key in keys])
    words = vocabulary_of(model)
    searched = Searched(Labelled.of(Rows.of(model, both), labels, words), words)
    if not searched.held.names:
        sys.exit(f"{found.folder} has no folder of enough pictures to search for")
    names, kinds = texts_for(model, searched.held.names)
    figures = measure_marked(searched, names) | measure_diversity("names", searched, names)
    if several := [kind for kind in kinds if len(kind.folders) > 1]:
        figures |= measure_diversity("kinds", searched, several)
        figures |= measure_not("kinds", searched, list(kind_pairs(names, kinds)))
    if alike := list(alike_pairs(searched, names)):
        figures |= measure_not("names", searched, alike)
    settings = {"images": str(found.folder), "pictures": len(keys), "model": model.id}
    results.write(f"refining-{found.name}", settings=settings, figures=figures)


if __name__ == "__main__":
    main()
