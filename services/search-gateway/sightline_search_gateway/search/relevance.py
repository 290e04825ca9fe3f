"""Whether the results match the query, or are only the nearest that there are.

How near an unrelated text comes to a picture differs by model, by picture and by collection. So a result's similarity
is taken in standard scores among those that all words of the vocabulary have with the same picture; and how high a
score has to be is learnt from the collection: random words are searched for, most of which it does not hold, and a
query is found if its three best results do better than those of 70 % of the words.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Annotated

import numpy as np
import structlog
from numpy.typing import NDArray
from sightline.encoder.prompts import strip_prompt
from sightline_catalogue import Collection, SearchParams

from sightline_search_gateway.search.blas_threads import one_thread
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings

Vectors = NDArray[np.float32]
BEST = 3
"""How many of the best results are assessed."""
PROBES = 256
PROBES_A_CALL = 32
SEED = 11
QUANTILE = 0.7
LEAST_SCORE, MOST_SCORE = 1.0, 3.0
"""Where a collection holds next to nothing or next to everything, what random words find says little."""
FRESH_SECONDS = 600.0
RETRY_SECONDS = 30.0
COLLECTIONS_KEPT = 4
LONGEST_SHOWN = 80
DETERMINED = re.compile(r"^(?:an?|the|some|any|my|our|your|his|her|their|two|three|many|several)\s+\S", re.IGNORECASE)
log = structlog.get_logger()


@dataclass(frozen=True)
class Calibration:
    """The distribution of similarities in a collection, and the score from which a query counts as found.

    Attributes:
        score: The standard score that the best results of a query must reach on average.
        mean: Of a word's similarity with a picture, over words and pictures.
        deviation: Of that, over words, mean over pictures.
        made_at: By `time.monotonic`.
    """

    score: float
    mean: float
    deviation: float
    made_at: float


@dataclass(frozen=True)
class Relevance:
    """Whether what was found is what was asked for, or only the nearest that there is."""

    found: Annotated[bool, "False where no result is nearer to the query than unrelated pictures are."] = True
    threshold: Annotated[float | None, "The cosine from which a result counts; null while that is not known."] = None
    relevant: Annotated[int, "How many of the results reach it."] = 0
    message: Annotated[str | None, "What to tell a person where nothing was found."] = None


def assess(
    text: str,
    similarities: Vectors,
    vectors: Vectors | None,
    words: VocabularyEmbeddings,
    calibration: Calibration,
    nearest: Sequence[float] = (),
) -> Relevance:
    """Return whether a text was found.

    Args:
        text: The query.
        similarities: (n,) of its results; the most similar ones tell, wherever they come.
        vectors: (n, dimensions) of the results; None where they are not known, and then pictures are taken for alike.
        words: Under the same model.
        calibration: The collection's.
        nearest: The similarities of the most similar ones, where the results are only a part and in another order.
    """
    if not len(similarities):
        return Relevance(found=False, message=nothing_like(text))
    mean, deviation = calibration.mean, calibration.deviation
    best = np.argsort(-similarities, kind="stable")[:BEST]
    if vectors is not None:
        means, deviations = backgrounds(vectors[best], words)
        mean, deviation = float(means.mean()), float(deviations.mean())
    threshold = mean + calibration.score * deviation
    if float(np.mean(nearest or similarities[best])) < threshold:
        return Relevance(found=False, threshold=round(threshold, 4), message=nothing_like(text))
    return Relevance(threshold=round(threshold, 4), relevant=int((similarities >= threshold).sum()))


def nothing_like(text: str) -> str:
    """Return the message that nothing was found; the query is quoted unless it begins with a determiner."""
    shown = strip_prompt(" ".join(text.split())).rstrip(" .?!")
    if len(shown) > LONGEST_SHOWN:
        shown = shown[: LONGEST_SHOWN - 1].rstrip() + "…"
    if not DETERMINED.match(shown):
        shown = f"“{shown}”"
    return f"Nothing here looks like {shown}."


def backgrounds(vectors: Vectors, words: VocabularyEmbeddings) -> tuple[Vectors, Vectors]:
    """Return mean and standard deviation, (n,) each, of pictures' similarities with all words."""
    with one_thread():
        similarities = vectors @ words.vectors.T
    return similarities.mean(axis=1), similarities.std(axis=1)


def calibrate(collection: Collection, words: VocabularyEmbeddings) -> Calibration | None:
    """Return the calibration of a collection, by searching it for random words; None where it is empty.

    Raises:
        CatalogueError: The catalogue does not answer.
    """
    chosen = np.random.default_rng(SEED).permutation(len(words.texts))[:PROBES]
    scores: list[float] = []
    means: list[float] = []
    deviations: list[float] = []
    for start in range(0, len(chosen), PROBES_A_CALL):
        probes = words.vectors[chosen[start : start + PROBES_A_CALL]]
        for nearest in collection.nearest_batch(probes, SearchParams(limit=BEST, with_vectors=True, by_text=True)):
            if not nearest.images or nearest.vectors is None:
                return None
            mean, deviation = (float(part.mean()) for part in backgrounds(nearest.vectors, words))
            scores.append((float(nearest.similarities.mean()) - mean) / max(deviation, 1e-6))
            means.append(mean)
            deviations.append(deviation)
    score = float(np.clip(np.quantile(scores, QUANTILE), LEAST_SCORE, MOST_SCORE))
    return Calibration(score, float(np.mean(means)), float(np.mean(deviations)), time.monotonic())


class Calibrator:
    """Calibrates collections in the background, anew every 10 minutes. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calibrations: dict[str, Calibration] = {}
        self._learning: set[str] = set()
        self._failed_at: dict[str, float] = {}

    def calibration(self, collection: Collection, words: VocabularyEmbeddings) -> Calibration | None:
        """Return a collection's calibration; None while there is none yet. An old one is replaced in the background."""
        known = self._calibrations.get(collection.name)
        if known is None or time.monotonic() - known.made_at > FRESH_SECONDS:
            self._begin(collection, words)
        return known

    def _begin(self, collection: Collection, words: VocabularyEmbeddings) -> None:
        with self._lock:
            failed_at = self._failed_at.get(collection.name)
            waits = failed_at is not None and time.monotonic() - failed_at < RETRY_SECONDS
            if waits or collection.name in self._learning:
                return
            self._learning.add(collection.name)
        Thread(target=self._learn, args=(collection, words), name="relevance", daemon=True).start()

    def _learn(self, collection: Collection, words: VocabularyEmbeddings) -> None:
        calibration = None
        try:
            calibration = calibrate(collection, words)
        except Exception as error:
            log.warning("calibration failed", collection=collection.name, error=str(error))
        with self._lock:
            self._learning.discard(collection.name)
            if calibration is None:
                self._failed_at[collection.name] = time.monotonic()
                return
            self._failed_at.pop(collection.name, None)
            if collection.name not in self._calibrations and len(self._calibrations) >= COLLECTIONS_KEPT:
                self._calibrations.pop(next(iter(self._calibrations)))
            self._calibrations[collection.name] = calibration
