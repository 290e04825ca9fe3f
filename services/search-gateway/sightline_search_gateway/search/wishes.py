"""Puts results in order by what is not wanted, and by which of them were said to be right or wrong.

What is not wanted is a penalty for looking like it, and not a direction away from it: a text that leads away from
oranges leads away from fruit, too. A text says what it means by what it finds; one that nothing here fits takes little
away (`unwanted`).

What looks like a result that was wrong goes down in the same way, and what looks like a right one goes up; then the
mean of the best is taken for right, a few times over, drawn to the right ones and away from the wrong ones (Rocchio,
"Relevance Feedback in Information Retrieval", 1971).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sightline.encoder.v1.encoder_pb2 import Reranking

from sightline_search_gateway.search.reranking import rerank, standard
from sightline_search_gateway.search.unwanted import Unwanted
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings

Vectors = NDArray[np.float32]
DEPTH = 200
"""So many of the nearest are put in order."""
NOT_FROM, NOT_TO, NOT_WEIGHT = 0.22, 0.44, 3.0
"""From which likeness on, beyond chance, a result counts as what is not wanted, a little and then wholly; and by how
many standard deviations of the results' scores it goes down then."""
NEARER_FROM, NEARER_TO = -2.5, -0.5
"""And how much nearer it must be to the text that is not wanted than to what is looked for, in standard deviations of
all words' cosines with it, to count a little and then wholly: strawberries look like oranges, and are nearer to
“fruit”."""
WRONG_FROM, WRONG_TO, WRONG_WEIGHT = 0.44, 0.66, 4.0
"""The same for what looks like a result that was wrong: it has more in it than what was wrong about it."""
RIGHT_WEIGHT = 1.0
ROUNDS, BEST, MARKED_COUNT = 5, 10, 5.0
"""How often the best are looked at, how many they are, and as how many of them those that were marked count."""
BEST_WEIGHT, BEST_WEIGHT_UNLED = 4.0, 1.0
"""How much the best count where there is a right result, and where there is none, and they may lead anywhere."""


@dataclass(frozen=True)
class Wishes:
    """What is known of a search beside what is looked for.

    Attributes:
        unwanted: What is not wanted.
        liked: (l, d) visual vectors of length one, of results that are right.
        disliked: (m, d) of those that are wrong.
        chance: The mean cosine between the visual vectors of pictures that have nothing to do with each other.
        words: Under the model; None where they are not known yet.
    """

    unwanted: Sequence[Unwanted]
    liked: Vectors
    disliked: Vectors
    chance: float = 0.0
    words: VocabularyEmbeddings | None = None

    def order(
        self, similarities: Vectors, vectors: Vectors, visual: Vectors, how: Reranking | None
    ) -> NDArray[np.intp]:
        """Return the places of results in a better order: (n,).

        Args:
            similarities: (n,) to what is looked for, the most similar first.
            vectors: (n, dimensions) unit vectors that texts are compared with.
            visual: (n, d) unit vectors that pictures are compared with.
            how: How the model puts what a text finds in order; where results were marked, they say it better.
        """
        scores = standard(similarities) - NOT_WEIGHT * self._likeness_to_unwanted(vectors, visual)
        scores -= WRONG_WEIGHT * self._likeness_to_wrong(visual)
        if len(self.liked) or len(self.disliked):
            return np.argsort(-self._pulled(scores, visual), kind="stable")
        order = np.argsort(-scores, kind="stable")
        if how is not None:
            first = order[: how.depth]
            order[: how.depth] = first[rerank(scores[first], visual[first], how)]
        return order

    def share_wanted(self, vectors: Vectors, visual: Vectors) -> Vectors:
        """Return how little each of n results is like what is not wanted, from 0 to 1: (n,); see `order`."""
        wanted: Vectors = (1 - self._likeness_to_unwanted(vectors, visual)) * (1 - self._likeness_to_wrong(visual))
        return wanted

    def _likeness_to_unwanted(self, vectors: Vectors, visual: Vectors) -> Vectors:
        if not self.unwanted:
            return np.zeros(len(visual), np.float32)
        beyond = self._beyond(visual, np.stack([one.looks for one in self.unwanted]))
        certainty = np.array([one.certainty for one in self.unwanted], np.float32)
        likeness: Vectors = certainty * _ramp(beyond, NOT_FROM, NOT_TO)
        if self.words is not None:
            spread = self.words.spread(vectors)
            for place, one in enumerate(self.unwanted):
                if one.contrast is not None:
                    nearer: Vectors = vectors @ one.contrast / spread
                    likeness[:, place] *= _ramp(nearer, NEARER_FROM, NEARER_TO)
        strongest: Vectors = likeness.max(axis=1)
        return strongest

    def _likeness_to_wrong(self, visual: Vectors) -> Vectors:
        if not len(self.disliked):
            return np.zeros(len(visual), np.float32)
        likeness: Vectors = _ramp(self._beyond(visual, self.disliked), WRONG_FROM, WRONG_TO).max(axis=1)
        return likeness

    def _beyond(self, visual: Vectors, others: Vectors) -> Vectors:
        """Return the cosines of (n, d) with (k, d), less what unrelated pictures share: (n, k)."""
        beyond: Vectors = (visual @ others.T - self.chance) / (1 - self.chance)
        return beyond

    def _pulled(self, scores: Vectors, visual: Vectors) -> Vectors:
        """Return the scores with the likeness to what is right, and to the best of the results again and again."""
        marked = np.zeros(visual.shape[1], np.float32)
        if len(self.liked):
            scores = scores + RIGHT_WEIGHT * standard((visual @ self.liked.T).max(axis=1))
            marked += MARKED_COUNT * self.liked.mean(axis=0)
        if len(self.disliked):
            marked -= MARKED_COUNT * self.disliked.mean(axis=0)
        weight = BEST_WEIGHT if len(self.liked) else BEST_WEIGHT_UNLED
        pulled = scores
        for _ in range(ROUNDS):
            best = np.argsort(-pulled, kind="stable")[:BEST]
            pulled = scores + weight * standard(visual @ (visual[best].sum(axis=0) + marked))
        return pulled


def _ramp(values: Vectors, least: float, most: float) -> Vectors:
    ramp: Vectors = np.clip((values - least) / (most - least), 0, 1)
    return ramp
