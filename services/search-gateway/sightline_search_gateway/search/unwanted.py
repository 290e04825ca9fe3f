"""What a text that is not wanted looks like, by what it finds, and how sure it is that this is there at all."""

from __future__ import annotations

from typing import NamedTuple

from sightline_search_gateway.search.relevance import (
    LIKELY,
    TELLING,
    TEXT,
    Calibration,
    FirstResults,
    Vectors,
    text_features,
)
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings

FOUND = len(TELLING)
"""So many of what the text finds say what it means."""


class Unwanted(NamedTuple):
    """What is not wanted.

    Attributes:
        looks: (d,) a visual vector, of length one for a picture; of a text the mean of what it finds, which is the
            shorter the less they agree.
        certainty: How sure it is that this is there, from 0 to 1.
        contrast: (dimensions,) a text's vector less that of what is looked for, if both are known: whatever is no
            nearer to the one than to the other is not meant.
    """

    looks: Vectors
    certainty: float = 1.0
    contrast: Vectors | None = None


def unwanted_by_text(
    text: Vectors,
    first: FirstResults,
    words: VocabularyEmbeddings | None,
    calibration: Calibration | None,
    wanted: Vectors | None = None,
) -> Unwanted:
    """Return what a text that is not wanted means.

    Args:
        text: (dimensions,) its vector.
        first: The best that it finds, at least one.
        words: Under the same model; None where they are not known yet.
        calibration: The collection's, likewise.
        wanted: (dimensions,) the vector of what is looked for; None where that is a visual one.
    """
    places, weights = first.telling
    looks = weights @ first.visual[places]
    if words is None or calibration is None:
        return Unwanted(looks)
    # Where there are no oranges, "orange" finds what is next to them, such as the fruit that is looked for.
    best = TEXT.probabilities(text_features(text, first, words, calibration, first.visual[:1]))
    return Unwanted(looks, min(1.0, float(best[0]) / LIKELY), None if wanted is None else text - wanted)
