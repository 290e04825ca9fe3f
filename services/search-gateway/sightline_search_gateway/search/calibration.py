"""What random words find in a collection, most of which it does not hold: the scale for relevance.

Learnt in the background when a collection is first searched, and anew every 10 minutes; sooner while it is small.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import ValuesView
from threading import Lock, Thread

import numpy as np
import structlog
from sightline_catalogue import Collection, SearchParams

from sightline_search_gateway.search.relevance import (
    TELLING,
    Calibration,
    Vectors,
    agreement_of,
    breadth_of,
    lead_of,
    telling,
)
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings

PROBES = 256
PROBES_A_CALL = 32
SEED = 11
ENOUGH = 64
"""Of fewer different pictures, what is usual counts the more the fewer they are: they say little of what is to come."""
USUAL = Calibration(chance=0.1, agreement=0.3, lead=-0.4, breadth=1.0)
FRESH_SECONDS, GROWING_SECONDS = 600.0, 30.0
GROWING = 500
"""A collection of which random words find fewer pictures may be being filled: it is calibrated anew sooner."""
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
    labels: dict[str, str | None] = {}
    params = SearchParams(limit=len(TELLING), distinct=True, with_vectors=True, by_text=True)
    for start in range(0, len(probes), PROBES_A_CALL):
        for nearest in collection.nearest_batch(probes[start : start + PROBES_A_CALL], params):
            if not nearest.images or nearest.vectors is None or nearest.visual is None:
                return None
            found.append((nearest.vectors, nearest.visual))
            labels |= {image.id: image.label for image in nearest.images}
    pictures = np.unique(np.concatenate([visual for _, visual in found]), axis=0)
    share = min(1.0, len(pictures) / ENOUGH)
    chance = share * chance_of(pictures) + (1 - share) * USUAL.chance
    agreements, leads = [], []
    for probe, (vectors, visual) in zip(probes, found, strict=True):
        places, weights = telling(visual)
        agreements.append(agreement_of(visual[places], weights, chance))
        leads.append(lead_of(probe, vectors[places], weights, words))
    return Calibration(
        chance=chance,
        agreement=share * float(np.median(agreements)) + (1 - share) * USUAL.agreement,
        lead=share * float(np.median(leads)) + (1 - share) * USUAL.lead,
        breadth=float(np.median([breadth_of(probe, words) for probe in probes])),
        common_labels=_common(labels.values()),
        pictures=len(pictures),
        made_at=time.monotonic(),
    )


def chance_of(visual: Vectors) -> float:
    """Return the mean cosine between two of (n, d) unit vectors, all of them different; 0 of one."""
    total, count = visual.sum(axis=0), len(visual)
    return (float(total @ total) - count) / (count * (count - 1)) if count > 1 else 0.0


def _common(labels: ValuesView[str | None]) -> frozenset[str]:
    """Return the label that more than half of some pictures have, if there is one."""
    counts = Counter(labels)
    return frozenset(label for label, count in counts.items() if label and count > len(labels) / 2)


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
        if known is None or time.monotonic() - known.made_at > _fresh_seconds(known):
            self._begin(collection, words)
        return known

    def common_labels(self, collection: Collection | None) -> frozenset[str]:
        """Return the labels that tell nothing of a picture of a collection, as far as it is calibrated."""
        known = self._calibrations.get(collection.name) if collection is not None else None
        return known.common_labels if known is not None else frozenset()

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


def _fresh_seconds(known: Calibration) -> float:
    return FRESH_SECONDS if known.pictures >= GROWING else GROWING_SECONDS
