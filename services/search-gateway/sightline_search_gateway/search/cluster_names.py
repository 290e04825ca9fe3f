"""Names for groups of pictures: the words nearest to what a group's pictures share and the others do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from sightline.encoder.prompts import strip_article

from sightline_search_gateway.search.blas_threads import one_thread
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings
from sightline_search_gateway.vectors import unit

Vectors = NDArray[np.float32]
SHARED = 0.2
"""How much of what all groups share is subtracted. Measured: more tells groups apart better and fits them worse."""
COMPOUND_COST = 0.02
"""Of names that are more than one word. Measured: 84 to 89 % of names are one word then, not 77 to 80 %, and 0.5 to
0.9 % of them fit no longer; cattle and sheep are "mammal", no longer "bull snake"."""
QUERY_LEAD = 0.95
"""The query's own word names a group only where the next word's score is below this share of its own."""
TAKEN = -np.inf


def name_clusters(
    centroids: Vectors, sizes: Sequence[int], words: VocabularyEmbeddings, query: str | None = None
) -> list[str]:
    """Return a name for each group, no two alike.

    A word's score is the cosine of its vector with the group's centroid, less a part of that with the mean of all, and
    less a little if it is more than one word; the group that a word fits better gets it.

    Args:
        centroids: (k, dimensions), means of unit vectors.
        sizes: How many pictures each group has.
        words: More than there are groups.
        query: The search's text: a name that repeats it tells nothing.
    """
    if not len(centroids):
        return []
    shared = unit(np.asarray(sizes, dtype=np.float32) @ centroids)
    with one_thread():
        scores = (unit(centroids) - SHARED * shared) @ words.vectors.T - COMPOUND_COST * words.compound
    if query is not None:
        _rule_out(scores, [words.places[text] for text in same_words(query) if text in words.places])
    names: list[str] = [""] * len(centroids)
    for _ in names:
        group, word = divmod(int(np.argmax(scores)), len(words.texts))
        names[group] = words.texts[word]
        scores[group, :] = TAKEN
        scores[:, word] = TAKEN
    return names


def commonest_labels(labels: Sequence[Sequence[str | None]]) -> list[str | None]:
    """Return a name for each group without a vocabulary: its commonest label, unless another group has it."""
    names: list[str | None] = []
    for group in labels:
        name = commonest_label(group)
        names.append(name if name not in names else None)
    return names


def commonest_label(labels: Iterable[str | None]) -> str | None:
    """Return the commonest of some labels, in words, the first by name of several; None where there is none."""
    counts = Counter(label for label in labels if label)
    return max(sorted(counts), key=counts.__getitem__).replace("_", " ") if counts else None


def same_words(query: str) -> set[str]:
    """Return the spellings that differ from a query by case, an article, or a plural's s."""
    one = normalised(query)
    return {one, f"{one}s", one.removesuffix("s"), one.removesuffix("es")}


def normalised(text: str) -> str:
    """Return a text in lower case without what stands around it and without an article."""
    return strip_article(" ".join(text.lower().replace("-", " ").split())).removeprefix("some ").strip(" .?!")


def _rule_out(scores: Vectors, same: list[int]) -> None:
    """Rule the query's own words out for the groups that another word fits about as well."""
    if not same:
        return
    own = scores[:, same].copy()
    scores[:, same] = TAKEN
    needed = scores.max(axis=1) < QUERY_LEAD * own.max(axis=1)
    scores[np.ix_(needed, same)] = own[needed]
