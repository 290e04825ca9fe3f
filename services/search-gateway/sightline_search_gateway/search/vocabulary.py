"""The words that clusters are named with, and their vectors."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from threading import Lock, Thread

import numpy as np
import structlog
from numpy.typing import NDArray
from sightline_catalogue import ModelRef
from sightline_service.batches import batched

from sightline_search_gateway.search.blas_threads import one_thread
from sightline_search_gateway.search.shared_cache import SharedCache
from sightline_search_gateway.vectors import unit

log = structlog.get_logger()
Vectors = NDArray[np.float32]
ENCODE_BATCH = 64
CLAIM_SECONDS = 60
"""How long a process may take to encode the words before another one begins."""
WAIT_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 60.0
MODELS_KEPT = 2
SMALLEST_VARIANCE = 1e-12
COMPOUND_COST = 0.02
"""Of names that are more than one word. Measured: 84 to 89 % of names are one word then, not 77 to 80 %, and 0.5 to
0.9 % of them fit no longer; cattle and sheep are "mammal", no longer "bull snake"."""


@dataclass(frozen=True)
class Vocabulary:
    """The words, each of them once.

    Attributes:
        texts: In alphabetical order.
        digest: SHA-256 of them, in hexadecimal.
    """

    texts: tuple[str, ...]
    digest: str


@dataclass(frozen=True)
class VocabularyEmbeddings:
    """The words with their vectors under one model.

    Attributes:
        texts: n words.
        vectors: (n, dimensions) float32, of length one.
    """

    texts: tuple[str, ...]
    vectors: Vectors

    @cached_property
    def compound(self) -> NDArray[np.float32]:
        """(n,) 1 where a name is more than one word, else 0."""
        return np.array([" " in text for text in self.texts], dtype=np.float32)

    def scores(self, vectors: Vectors) -> Vectors:
        """Return how well each word names each of (k, dimensions) vectors: (k, n).

        It is the cosine, less a little for a name that is more than one word.
        """
        with one_thread():
            found: Vectors = vectors @ self.vectors.T - COMPOUND_COST * self.compound
        return found

    def spread(self, vectors: Vectors) -> Vectors:
        """Return the standard deviation of all words' cosines with each of (k, dimensions) vectors: (k,)."""
        with one_thread():
            variances = ((vectors @ self._covariance) * vectors).sum(axis=1)
        spread: Vectors = np.sqrt(np.maximum(variances, SMALLEST_VARIANCE))
        return spread

    @cached_property
    def _covariance(self) -> Vectors:
        """(dimensions, dimensions) of the words' vectors."""
        return np.cov(self.vectors, rowvar=False, bias=True).astype(np.float32)

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each word is, by the word with spaces for hyphens."""
        return {text.replace("-", " "): place for place, text in enumerate(self.texts)}


@cache
def read_vocabulary() -> Vocabulary:
    """Return the package's words."""
    lines = (files("sightline_search_gateway.search") / "words" / "en.txt").read_text(encoding="utf-8").splitlines()
    texts = tuple(line for line in lines if line and not line.startswith("#"))
    return Vocabulary(texts, hashlib.sha256("\n".join(texts).encode()).hexdigest())


def stored_embeddings(cache: SharedCache, vocabulary: Vocabulary, model: ModelRef) -> VocabularyEmbeddings | None:
    """Return words with the vectors that some process has made for a model; None where none has."""
    data = cache.get(_name(vocabulary, model))
    shape = (len(vocabulary.texts), model.dimensions)
    if data is None or len(data) != 2 * shape[0] * shape[1]:
        return None
    vectors = np.frombuffer(data, dtype=np.float16).reshape(shape).astype(np.float32)
    return VocabularyEmbeddings(vocabulary.texts, unit(vectors))


class VocabularyEmbedder:
    """Has the words encoded, once a model, in the background. Safe to use from several threads.

    Args:
        vocabulary: The words.
        encode: Texts to (n, dimensions) float32 unit vectors under a model; raises where that cannot be done now.
        cache: Where all processes find what one has made.
    """

    def __init__(
        self, vocabulary: Vocabulary, encode: Callable[[Sequence[str], ModelRef], Vectors], cache: SharedCache
    ) -> None:
        self._vocabulary = vocabulary
        self._encode = encode
        self._cache = cache
        self._lock = Lock()
        self._known: dict[str, VocabularyEmbeddings] = {}
        self._under_way: set[str] = set()

    def get(self, model: ModelRef) -> VocabularyEmbeddings | None:
        """Return the words under a model; None while their vectors are not there, and then they are being made."""
        with self._lock:
            words = self._known.get(model.fingerprint)
            if words is not None or model.fingerprint in self._under_way:
                return words
            self._under_way.add(model.fingerprint)
        Thread(target=self._prepare, args=(model,), name="words", daemon=True).start()
        return None

    def _prepare(self, model: ModelRef) -> None:
        wait = WAIT_SECONDS
        while True:
            try:
                words = stored_embeddings(self._cache, self._vocabulary, model) or self._make(model)
            except Exception as error:
                log.warning("words have no vectors yet", error=str(error), again_in_seconds=wait)
                words = None
            if words is not None:
                break
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
        with self._lock:
            while len(self._known) >= MODELS_KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[model.fingerprint] = words
            self._under_way.discard(model.fingerprint)

    def _make(self, model: ModelRef) -> VocabularyEmbeddings | None:
        """Return the words with vectors made now; None where another process is making them."""
        name = _name(self._vocabulary, model)
        if not self._cache.claim(name, CLAIM_SECONDS):
            return None
        began = time.monotonic()
        texts = self._vocabulary.texts
        vectors = np.empty((len(texts), model.dimensions), dtype=np.float32)
        # Batches of like length waste little on padding.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        for places in batched(order, ENCODE_BATCH):
            vectors[places] = self._encode([texts[place] for place in places], model)
        self._cache.put(name, vectors.astype(np.float16).tobytes())
        log.info("words have vectors", words=len(texts), model=model.id, seconds=round(time.monotonic() - began, 1))
        return VocabularyEmbeddings(texts, vectors)


def _name(vocabulary: Vocabulary, model: ModelRef) -> str:
    return f"words:{model.fingerprint[:32]}:{vocabulary.digest[:16]}"
