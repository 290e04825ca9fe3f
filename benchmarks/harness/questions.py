"""Asks a collection in memory and scores its answers: for folders' names, kinds of things, pictures and captions.

Precision at k is the share of the first min(k, n) that are right, where n pictures are; recall at k the share of the n
that are among the first k; average precision the mean, over the n, of the precision where each is found (Manning et
al., Introduction to Information Retrieval, chapter 8).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sightline_encoder import models

from benchmarks.harness import pictures
from benchmarks.harness.kinds import general_words
from benchmarks.harness.pictures import Vectors, query_of
from benchmarks.harness.ranking import Rows

Kind = Literal["name", "kind", "picture", "caption"]
KINDS: dict[Kind, str] = {
    "name": "folder names",
    "kind": "kinds of things",
    "picture": "pictures",
    "caption": "captions",
}
"""What is asked, and how it is called in the plural."""
CUTS = (1, 5, 10, 30)
DEPTH = CUTS[-1]
MOST_ASKED = 2000
"""Of more pictures, or captions, so many are drawn at random."""
LAST = 4
SEED = 3
Floats = NDArray[np.float64]
Labels = NDArray[np.str_]


@dataclass(frozen=True)
class Score:
    """How well a class's name finds it: the share among the first min(depth, size), and what stands in its place."""

    name: str
    size: int
    counted: int
    precision: float
    instead: list[tuple[str, int]] = field(default_factory=list)


def score(name: str, labels: Labels, order: NDArray[np.intp], depth: int) -> Score:
    """Return how well a class's name found it among pictures with (n,) labels, empty for none, in an order."""
    size = int((labels == name).sum())
    first = labels[order[: min(depth, size)]]
    others = Counter(label for label in first.tolist() if label and label != name)
    return Score(name, size, len(first), float((first == name).mean()), others.most_common(2))


def scores(model: models.Model, labels: Labels, rows: Rows, depth: int) -> list[Score]:
    """Search for the name of each class; return a score each."""
    names = classes(labels)
    vectors = _encoded(model, [query_of(name) for name in names])
    return [score(name, labels, rows.found(vector), depth) for name, vector in zip(names, vectors, strict=True)]


def mean(found: Iterable[Score]) -> float:
    """Return the mean precision over classes, large and small alike; NaN of none."""
    precisions = [score.precision for score in found]
    return float(np.mean(precisions)) if precisions else float("nan")


def classes(labels: Labels) -> list[str]:
    """Return the labels that can be asked for, sorted: a name of nothing but underscores says nothing."""
    return sorted({label for label in labels.tolist() if query_of(label).strip()})


@dataclass
class Answers:
    """How well the questions of one kind are answered.

    Attributes:
        asked: What each of the n questions is about; of pictures, the folder that they lie in, asked together.
        counts: Of each, how many pictures are right.
        measures: (n,) of each measure, such as `precision_at_30`.
        first: Of each text, the places of what it finds first.
        is_right: Of each text, whether these are right.
        best: Of each text, the rank of the first right picture, from 1.
        last: Of each text, the right pictures that it finds last: place and rank from 1, the worst first.
        asked_of: How many could have been asked, where some were drawn.
    """

    asked: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    measures: dict[str, Floats] = field(default_factory=dict)
    first: list[NDArray[np.intp]] = field(default_factory=list)
    is_right: list[NDArray[np.bool_]] = field(default_factory=list)
    best: list[int] = field(default_factory=list)
    last: list[list[tuple[int, int]]] = field(default_factory=list)
    asked_of: int = 0

    def means(self) -> dict[str, float]:
        """Return the mean of each measure over the questions."""
        return {name: float(values.mean()) for name, values in self.measures.items() if len(values)}

    def add(self, asked: str, is_right: NDArray[np.bool_], order: NDArray[np.intp], found: Mapping[str, float]) -> None:
        """Add a text, what it found in order, and the measures of that; `is_right` is in that order, too."""
        self.asked.append(asked)
        self.counts.append(int(is_right.sum()))
        self.first.append(order[:DEPTH])
        self.is_right.append(is_right[:DEPTH])
        self.best.append(int(is_right.argmax()) + 1)
        ranks = np.flatnonzero(is_right)[::-1][:LAST]
        self.last.append([(int(order[rank]), int(rank) + 1) for rank in ranks])
        for name, value in found.items():
            self.measures[name] = np.append(self.measures.get(name, np.empty(0)), value)


def measured(is_right: NDArray[np.bool_]) -> dict[str, float]:
    """Return the measures of an answer: (n,) whether each picture is right, the first one first; at least one is."""
    right = np.flatnonzero(is_right)
    found = {f"precision_at_{cut}": float(is_right[: min(cut, len(right))].mean()) for cut in CUTS}
    found |= {f"recall_at_{cut}": float((right < cut).sum() / len(right)) for cut in CUTS}
    return found | {"map": float((np.arange(1, len(right) + 1) / (right + 1)).mean())}


def ask_words(
    model: models.Model, labels: Labels, rows: Rows, words: Mapping[str, set[str]], texts: Sequence[str]
) -> Answers:
    """Search for words by their texts; of each the pictures with some labels are right."""
    answers = Answers(asked_of=len(words))
    vectors = _encoded(model, texts)
    for (word, said), vector in zip(words.items(), vectors, strict=True):
        order = rows.found(vector)
        is_right = np.isin(labels[order], list(said))
        answers.add(word, is_right, order, measured(is_right))
    return answers


def ask_names(model: models.Model, labels: Labels, rows: Rows) -> Answers:
    """Search for the name of each class."""
    names = classes(labels)
    return ask_words(model, labels, rows, {name: {name} for name in names}, [query_of(name) for name in names])


def ask_kinds(model: models.Model, labels: Labels, rows: Rows) -> Answers:
    """Search for what classes are kinds of, where that is known."""
    words = general_words(label for label in labels.tolist() if label)
    return ask_words(model, labels, rows, words, list(words))


def ask_pictures(labels: Labels, visual: Vectors) -> Answers:
    """Search by labelled pictures for the others of their label; the measures are means over each label's pictures."""
    sizes = Counter(labels.tolist())
    askable = np.array([place for place, label in enumerate(labels.tolist()) if label and sizes[label] > 1], np.intp)
    by_label: dict[str, list[dict[str, float]]] = {}
    for place in _drawn(askable):
        nearness = visual @ visual[place]
        nearness[place] = -np.inf
        order = np.argsort(-nearness, kind="stable")[:-1]
        by_label.setdefault(labels[place], []).append(measured(labels[order] == labels[place]))
    answers = Answers(sorted(by_label), asked_of=len(askable))
    answers.counts = [sizes[label] for label in answers.asked]
    if by_label:
        names = next(iter(by_label.values()))[0]
        answers.measures = {
            name: np.array([np.mean([one[name] for one in by_label[label]]) for label in answers.asked])
            for name in names
        }
    return answers


def ask_captions(
    model: models.Model, keys: Sequence[str], captions: Sequence[tuple[str, str]], rows: Rows
) -> tuple[Answers, list[str]]:
    """Search for captions, each with the key of its picture; any picture of an equal caption is right.

    Returns:
        The answers, and the keys of those that were asked for.
    """
    places = {key: place for place, key in enumerate(keys)}
    known = [(key, caption) for key, caption in captions if key in places]
    meant: dict[str, set[int]] = {}
    for key, caption in known:
        meant.setdefault(caption, set()).add(places[key])
    chosen = [known[place] for place in _drawn(np.arange(len(known)))]
    answers = Answers(asked_of=len(known))
    vectors = _encoded(model, [caption for _, caption in chosen])
    for (_, caption), vector in zip(chosen, vectors, strict=True):
        order = rows.found(vector)
        is_right = np.isin(order, list(meant[caption]))
        found = {f"recall_at_{cut}": float(is_right[:cut].any()) for cut in CUTS}
        answers.add(caption, is_right, order, found | {"map": measured(is_right)["map"]})
    return answers, [key for key, _ in chosen]


def _encoded(model: models.Model, texts: Sequence[str]) -> Vectors:
    return pictures.encode_texts(model, texts) if texts else np.empty((0, model.dimensions), np.float32)


def _drawn(places: NDArray[np.intp]) -> list[int]:
    chosen = np.random.default_rng(SEED).permutation(places)[:MOST_ASKED]
    return sorted(chosen.tolist())
