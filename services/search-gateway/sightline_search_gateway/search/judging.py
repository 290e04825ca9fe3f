"""Looks at the first results of a search: puts them in order, and judges how likely they are what was asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sightline.encoder.v1.encoder_pb2 import Reranking
from sightline_catalogue import Nearest, Reordering

from sightline_search_gateway.search import diversity, wishes
from sightline_search_gateway.search.relevance import (
    PICTURE,
    TEXT,
    Calibration,
    FirstResults,
    Vectors,
    falling,
    picture_features,
    text_features,
)
from sightline_search_gateway.search.reranking import rerank
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings
from sightline_search_gateway.search.wishes import Wishes

JUDGED = 50
"""How many of the first results are looked at, unless a model's reranking looks at another number."""


@dataclass
class FirstLook:
    """Sees the first results of one search.

    Attributes:
        how: How they are put in order; None where the nearest come first.
        text: (dimensions,) the vector of the text that is searched for; None where it is a picture.
        wishes: What is not wanted, and which results are right or wrong; None where nothing is said of it.
        diversity: How much the first results differ from each other, from 0 to 1.
        first: The results; None before the search, and where there are none.
    """

    how: Reranking | None = None
    text: Vectors | None = None
    wishes: Wishes | None = None
    diversity: float = 0.0
    first: FirstResults | None = None

    def reordering(self, least: int = 0) -> Reordering:
        """Return what the search has to do with its first results, at least so many."""
        depths = [least, JUDGED if self.how is None else self.how.depth]
        if self.wishes is not None:
            depths.append(wishes.DEPTH)
        if self.diversity:
            depths.append(diversity.DEPTH)
        return Reordering(max(depths), self._order)

    def _order(self, similarities: Vectors, vectors: Vectors, visual: Vectors) -> NDArray[np.intp]:
        order = np.arange(len(similarities))
        if self.wishes is not None:
            depth = wishes.DEPTH
            order[:depth] = self.wishes.order(similarities[:depth], vectors[:depth], visual[:depth], self.how)
        elif self.how is not None:
            depth = self.how.depth
            order[:depth] = rerank(similarities[:depth], visual[:depth], self.how)
        if self.diversity:
            best = order[: diversity.DEPTH]
            order[: diversity.DEPTH] = best[diversity.diversified(visual[best], self.diversity)]
        self.first = FirstResults(similarities, vectors, visual, order)
        return order

    def probabilities(
        self, words: VocabularyEmbeddings, calibration: Calibration, page: Nearest, offset: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how likely the first results are what was asked for, and those of a page that begins at `offset`.

        The page comes with vectors. Those of its results that are not among the first are no likelier than the last of
        these.
        """
        first = self.first
        if first is None or page.vectors is None or page.visual is None:
            return np.empty(0), np.empty(0)
        count = len(first.order)
        after = max(0, count - offset)
        similarities = np.concatenate([first.similarities[first.order], page.similarities[after:]])
        visual = np.concatenate([first.visual[first.order], page.visual[after:]])
        if self.text is None:
            found = PICTURE.probabilities(picture_features(first, calibration, similarities, visual))
        else:
            found = TEXT.probabilities(text_features(self.text, first, words, calibration, visual))
        if self.wishes is not None:
            vectors = np.concatenate([first.vectors[first.order], page.vectors[after:]])
            found = found * self.wishes.share_wanted(vectors, visual)
        fitted = falling(found[:count])
        return fitted, np.concatenate([fitted[offset:], np.minimum(found[count:], fitted[-1])])[: len(page.images)]
