"""Names for the clusters of a search's results.

A folder that most of a cluster share names it: whoever sorts pictures says by its name what is in them. Else a word
does that is well ahead of the others; else the one or two things, folders or words, that most of its pictures are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence, Set

import numpy as np
from numpy.typing import NDArray
from sightline.encoder.prompts import strip_article

from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings
from sightline_search_gateway.vectors import unit

Vectors = NDArray[np.float32]
MOST = 0.6
"""The share of a cluster's pictures that a folder, or two, must hold to name it; likewise words."""
SURE, LEAD = 4.0, 0.2
"""What a word's score must be to say what is there, and how far it must be ahead of the next one's, both in standard
deviations of all words' scores, which mean the same whichever model it is. Measured, with folders left aside: of such
words 99 % fit most of a cluster of Caltech-101, and all of one of the sample pictures; of the first words of all
clusters 98 and 77 %."""
QUERY_LEAD = 0.95
"""Another word than the query's own is preferred where its score is at least this share of that one's."""
CAMERA_FOLDER = re.compile(r"\d{3}[0-9A-Z_]{5}|DCIM", re.IGNORECASE | re.ASCII)
"""What cameras call their folders (JEITA CP-3461), which says nothing of the pictures in them."""


def name_cluster(
    labels: Sequence[str | None],
    vectors: Vectors,
    words: VocabularyEmbeddings | None = None,
    query: str | None = None,
    common: Set[str] = frozenset(),
) -> str | None:
    """Return what n pictures have in common, or None.

    Args:
        labels: The name of each one's folder.
        vectors: (n, dimensions) float32, of length one, that words are compared with.
        words: Without them, folders alone give names.
        query: The search's text: a word that repeats it is passed over where another is as far ahead.
        common: Labels that tell nothing here, since most of the collection has them.
    """
    folders = Counter(label.replace("_", " ") for label in labels if label and _tells(label) and label not in common)
    if (name := _most(folders, len(labels), 1)) or words is None:
        return name or _most(folders, len(labels), 2)
    [scores] = _standard_scores(vectors.mean(axis=0, keepdims=True), words)
    if name := _leading(scores, words, query) or _most(folders, len(labels), 2):
        return name
    things = _by_head(_nearest(vectors, words))
    return _most(things, len(labels), 1) or _most(things, len(labels), 2)


def same_words(query: str) -> set[str]:
    """Return the spellings that differ from a query by case, an article, or a plural's s."""
    one = normalised(query)
    return {one, f"{one}s", one.removesuffix("s"), one.removesuffix("es")}


def normalised(text: str) -> str:
    """Return a text in lower case without what stands around it and without an article."""
    return strip_article(" ".join(text.lower().replace("-", " ").split())).removeprefix("some ").strip(" .?!")


def _tells(label: str) -> bool:
    """Return whether a folder's name can say what is in its pictures: it has letters, and no camera gave it."""
    return any(map(str.isalpha, label)) and not CAMERA_FOLDER.fullmatch(label)


def _most(counts: Counter[str], total: int, count: int) -> str | None:
    """Return the commonest so many names, joined, if most of all have one of them."""
    commonest = Counter(dict(sorted(counts.items()))).most_common(count)
    if len(commonest) < count or sum(number for _, number in commonest) < MOST * total:
        return None
    return " and ".join(name for name, _ in commonest)


def _standard_scores(vectors: Vectors, words: VocabularyEmbeddings) -> Vectors:
    """Return how many standard deviations each of m words' scores is above the mean: (n, m) by (n, dimensions)."""
    scores = words.scores(unit(vectors))
    standard: Vectors = (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)
    return standard


def _leading(scores: Vectors, words: VocabularyEmbeddings, query: str | None) -> str | None:
    """Return the word with the best of (m,) scores if it is ahead of the next, rather another than the query's own."""
    own = [words.places[text] for text in same_words(query) if text in words.places] if query is not None else []
    others = scores.copy()
    others[own] = -np.inf
    fit_as_well = bool(others.max() >= QUERY_LEAD * scores.max())
    for candidates in (others, scores) if fit_as_well else (scores,):
        second, first = map(int, np.argsort(candidates)[-2:])
        if candidates[first] >= SURE and candidates[first] - candidates[second] >= LEAD:
            return words.texts[first]
    return None


def _nearest(vectors: Vectors, words: VocabularyEmbeddings) -> Counter[str]:
    """Return for how many of (n, dimensions) vectors each word is the nearest, where it says what is there."""
    scores = _standard_scores(vectors, words)
    first = scores.argmax(axis=1)
    sure = scores[np.arange(len(first)), first] >= SURE
    return Counter(words.texts[place] for place in first[sure].tolist())


def _by_head(counts: Counter[str]) -> Counter[str]:
    """Return counts of words in which a compound counts as what it is one of, where that is among them."""
    heads = Counter[str]()
    for text, count in counts.items():
        head = text.rpartition(" ")[2]
        heads[head if head in counts else text] += count
    return heads
