"""How likely a result is what was asked for, by a probability that means the same for every query and collection.

A similarity alone does not tell: how near an unrelated text comes to a picture differs by model, picture and
collection. What tells more is how alike the best results are, since what a text means looks alike, and what is merely
nearest does not; how much nearer than other words the text is to what they have in common; how general it is, since
what "animal" means looks less alike; and how much each result looks like the best. All is taken beside what random
words find in the same collection, most of which it does not hold (`calibration`). A logistic regression makes a
probability of it; its coefficients come from pictures of known classes, each asked for with its pictures there and left
out (`make relevance`). Down the list the probability never rises (isotonic regression), so that the likely results come
first, and end somewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sightline.encoder.prompts import strip_prompt
from sklearn import config_context
from sklearn.isotonic import isotonic_regression

from sightline_search_gateway.search.blas_threads import one_thread
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings

Vectors = NDArray[np.float32]
Judgement = Literal["likely", "weak"]
Cosine = TypeVar("Cosine", float, Vectors)
TELLING = np.exp(-np.arange(16) / 4).astype(np.float32)
"""How much each of the most similar tells of what the query means here: of a few right ones the first tell most, and of
many it is safer to ask many."""
SAME, COPIES_LOOKED_AT = 1 - 1e-5, 64
LEADING_WORDS = 20
LIKELY = 0.5
"""A result is likely from this probability on."""
POSSIBLE = 0.03
"""Where no result reaches this, nothing was found. It is low: to deny what is there is worse than to doubt it, and
pictures of a thing that look little alike, such as drawn houses, have low probabilities."""
LEAST = 1e-6
LONGEST_SHOWN = 80
DETERMINED = re.compile(r"^(?:an?|the|some|any|my|our|your|his|her|their|two|three|many|several)\s+\S", re.IGNORECASE)


class Coefficients(NamedTuple):
    """Of a logistic regression: (k,), and the intercept."""

    of: NDArray[np.float64]
    intercept: float

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how likely results of (n, k) features are what was asked for: (n,), before `falling`."""
        likely: NDArray[np.float64] = expit(features @ self.of + self.intercept)
        return likely


TEXT = Coefficients(np.array([4.12, 0.69, 6.03, 5.07]), -4.34)
PICTURE = Coefficients(np.array([6.20, 6.42, 4.84]), -9.46)


@dataclass(frozen=True)
class Calibration:
    """What random words find in a collection: the scale on which a query's results are taken.

    Attributes:
        chance: The mean cosine between the visual vectors of pictures that have nothing to do with each other.
        agreement: How alike the best results of a word are, beyond chance; as the others, the median over words.
        lead: How much nearer a word is to its best results than the nearest other words are, in standard deviations.
        breadth: The standard deviation of a word's cosines with all words: the more general a word, the larger.
        common_labels: Those that more than half of the pictures found have: they tell nothing of a picture.
        pictures: How many different ones the words found.
        made_at: By `time.monotonic`.
    """

    chance: float
    agreement: float
    lead: float
    breadth: float
    common_labels: frozenset[str] = frozenset()
    pictures: int = 0
    made_at: float = 0.0


@dataclass(frozen=True)
class Relevance:
    """Whether what was found is what was asked for, or only the nearest that there is."""

    found: Annotated[bool, "False where no result is even possibly what was asked for."] = True
    threshold: Annotated[
        float | None, "The lowest cosine of a likely result in this answer; null where none is, or it is not known."
    ] = None
    relevant: Annotated[int, "How many of the results in this answer are likely; all, where that is not known."] = 0
    likely: Annotated[
        int | None, "How many of the first `judged` results are likely: they come first. Null where that is not known."
    ] = None
    judged: Annotated[int, "How many of the first results were judged; where all of them are likely, more may be."] = 0
    message: Annotated[str | None, "What to tell a person where nothing was found, or nothing likely."] = None


@dataclass(frozen=True)
class FirstResults:
    """The first n results of a search, the most similar first.

    Attributes:
        similarities: (n,) their cosines with the query.
        vectors: (n, dimensions) float32, of length one, that words are compared with.
        visual: (n, d) float32, of length one, that they are compared with each other by; may be `vectors`.
        order: (n,) their places, as they are shown.
    """

    similarities: Vectors
    vectors: Vectors
    visual: Vectors
    order: NDArray[np.intp]

    @cached_property
    def telling(self) -> tuple[NDArray[np.intp], Vectors]:
        """The places of those that tell what the query means here, and their weights; see the function `telling`."""
        return telling(self.visual)


def telling(visual: Vectors) -> tuple[NDArray[np.intp], Vectors]:
    """Return the places of the most similar results that tell what a query means, and their weights, whose sum is 1.

    Args:
        visual: (n, d) of the results, the most similar first; of equal ones the first counts.
    """
    nearest = visual[:COPIES_LOOKED_AT]
    is_copy = np.triu(nearest @ nearest.T > SAME, k=1).any(axis=0)
    places = np.flatnonzero(~is_copy)[: len(TELLING)]
    weights: Vectors = TELLING[: len(places)] / TELLING[: len(places)].sum()
    return places, weights


def agreement_of(best: Vectors, weights: Vectors, chance: float) -> float:
    """Return how alike different pictures are: 0 for unrelated ones, 1 for equal ones.

    Args:
        best: (k, d) their visual vectors.
        weights: (k,) how much each counts, the sum 1.
        chance: The mean cosine of unrelated pictures.
    """
    total = weights @ best
    # Each one's own part is not agreement; a single one agrees with nothing.
    own = float(weights @ weights)
    return _beyond((float(total @ total) - own) / (1 - own), chance) if len(best) > 1 else 0.0


def lead_of(text: Vectors, best: Vectors, weights: Vectors, words: VocabularyEmbeddings) -> float:
    """Return how much nearer a text is to its best results than the nearest words are, in standard deviations of words.

    Args:
        text: (dimensions,) its vector.
        best: (k, dimensions) the vectors of those, at least one.
        weights: (k,) how much each counts.
        words: Under the same model.
    """
    centre = weights @ best
    centre /= max(float(np.linalg.norm(centre)), LEAST)
    with one_thread():
        near = words.vectors @ centre
    leading = min(LEADING_WORDS, len(near))
    rivals = np.partition(near, len(near) - leading)[-leading:]
    return (float(centre @ text) - float(rivals.mean())) / max(float(near.std()), LEAST)


def breadth_of(text: Vectors, words: VocabularyEmbeddings) -> float:
    """Return the standard deviation of a text's cosines with all words."""
    with one_thread():
        return float((words.vectors @ text).std())


def text_features(
    text: Vectors, first: FirstResults, words: VocabularyEmbeddings, calibration: Calibration, visual: Vectors
) -> NDArray[np.float64]:
    """Return what the probabilities of a text's results are made of: (m, 4).

    Args:
        text: (dimensions,) its vector.
        first: What the search saw first, at least one result.
        words: Under the same model.
        calibration: The collection's.
        visual: (m, d) of the results.
    """
    places, weights = first.telling
    room = max(1 - calibration.agreement, LEAST)
    features = np.empty((len(visual), len(TEXT.of)))
    agreement = agreement_of(first.visual[places], weights, calibration.chance)
    features[:, 0] = (agreement - calibration.agreement) / room
    features[:, 1] = lead_of(text, first.vectors[places], weights, words) - calibration.lead
    features[:, 2] = breadth_of(text, words) / max(calibration.breadth, LEAST) - 1
    features[:, 3] = (_looks(first, visual, calibration) - calibration.agreement) / room
    return features


def picture_features(
    first: FirstResults, calibration: Calibration, similarities: Vectors, visual: Vectors
) -> NDArray[np.float64]:
    """Return what the probabilities of a picture's results are made of: (m, 3).

    Args:
        first: What the search saw first, at least one result.
        calibration: The collection's.
        similarities: (m,) of the results.
        visual: (m, d) likewise.
    """
    places, weights = first.telling
    features = np.empty((len(visual), len(PICTURE.of)))
    features[:, 0] = _beyond(float(weights @ first.similarities[places]), calibration.chance)
    features[:, 1] = _beyond(similarities, calibration.chance)
    features[:, 2] = _looks(first, visual, calibration)
    return features


def falling(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (n,) probabilities nearest to some that never rise, by the mean squared distance."""
    with config_context(assume_finite=True, skip_parameter_validation=True):
        fitted: NDArray[np.float64] = isotonic_regression(probabilities, increasing=False)
    return fitted


def judgement(probability: float | None) -> Judgement | None:
    """Return what a probability means; None where it is not known."""
    if probability is None:
        return None
    return "likely" if probability >= LIKELY else "weak"


def relevance_of(
    what: str, probabilities: NDArray[np.float64], shown: NDArray[np.float64], similarities: Vectors
) -> Relevance:
    """Return whether what was asked for was found.

    Args:
        what: It, as a message names it.
        probabilities: (n,) of the first results.
        shown: (m,) of those in the answer.
        similarities: (m,) likewise.
    """
    likely = int((probabilities >= LIKELY).sum())
    is_likely = shown >= LIKELY
    message = None
    if not len(probabilities) or probabilities[0] < POSSIBLE:
        message = f"Nothing here looks like {what}."
    elif not likely:
        message = f"Perhaps nothing here looks like {what}."
    return Relevance(
        found=len(probabilities) > 0 and float(probabilities[0]) >= POSSIBLE,
        threshold=round(float(similarities[is_likely].min()), 4) if is_likely.any() else None,
        relevant=int(is_likely.sum()),
        likely=likely,
        judged=len(probabilities),
        message=message,
    )


def named(text: str) -> str:
    """Return a query's text as a message names it: quoted unless it begins with a determiner."""
    shown = strip_prompt(" ".join(text.split())).rstrip(" .?!")
    if len(shown) > LONGEST_SHOWN:
        shown = shown[: LONGEST_SHOWN - 1].rstrip() + "…"
    return shown if DETERMINED.match(shown) else f"“{shown}”"


def _looks(first: FirstResults, visual: Vectors, calibration: Calibration) -> Vectors:
    """Return how much (m, d) results look like the best, beyond chance: (m,)."""
    places, weights = first.telling
    total = weights @ first.visual[places]
    return _beyond(visual @ (total / max(float(np.linalg.norm(total)), LEAST)), calibration.chance)


def _beyond(cosine: Cosine, chance: float) -> Cosine:
    """Return how far a cosine, or each of many, is from chance, of all the way to 1."""
    return (cosine - chance) / max(1 - chance, LEAST)
