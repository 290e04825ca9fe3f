"""What random words find in a collection, most of which it does not hold: the scale for relevance.

Learnt in the background when a collection is first searched, and anew every 10 minutes.
"""

from __future__ import annotations

import time
from threading import Lock, Thread

import numpy as np
import structlog
from sightline_catalogue import Collection, SearchParams

from sightline_search_gateway.search.relevance import (
    LEAST,
    TELLING,
    Agreement,
    Calibration,
    Vectors,
    breadth_of,
    lead_of,
)
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings

PROBES = 256
PROBES_A_CALL = 32
SEED = 11
FRESH_SECONDS = 600.0
RETRY_SECONDS = 30.0
COLLECTIONS_KEPT = 4
log = structlog.get_logger()


def calibrate(collection: Collection, words: VocabularyEmbeddings) -> Calibration | None:
    """Return the calibration of a collection, by searching it for random words; None where it is empty.

    Raises:
        CatalogueError: The catalogue does not answer.
    """
    chosen = np.random.default_rng(SEED).permutation(len(words.texts))[:PROBES]
    probes = words.vectors[chosen]
    found: list[tuple[Vectors, Vectors]] = []
    params = SearchParams(limit=len(TELLING), with_vectors=True, by_text=True)
    for start in range(0, len(probes), PROBES_A_CALL):
        for nearest in collection.nearest_batch(probes[start : start + PROBES_A_CALL], params):
            if not nearest.images or nearest.vectors is None or nearest.visual is None:
                return None
            found.append((nearest.vectors, nearest.visual))
    chance = chance_of(np.concatenate([visual for _, visual in found]))
    agreements = [Agreement.of(visual, chance).among for _, visual in found]
    leads = [lead_of(probe, vectors, words) for probe, (vectors, _) in zip(probes, found, strict=True)]
    breadths = [breadth_of(probe, words) for probe in probes]
    agreement, lead, breadth = (float(np.median(each)) for each in (agreements, leads, breadths))
    return Calibration(chance, agreement, lead, breadth, time.monotonic())


def chance_of(visual: Vectors) -> float:
    """Return the mean cosine between two different ones of (n, d) unit vectors, equal ones counted once; 0 of one."""
    different = np.unique(visual, axis=0)
    total, count = different.sum(axis=0), len(different)
    return (float(total @ total) - count) / max(count * (count - 1), LEAST) if count > 1 else 0.0


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
