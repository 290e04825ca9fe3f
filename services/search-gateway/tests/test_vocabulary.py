"""The vectors of the words."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from sightline_catalogue import ModelRef
from sightline_search_gateway.search.vocabulary import Vocabulary, VocabularyEmbedder, stored_embeddings

MODEL = ModelRef(id="embedded", fingerprint="a" * 64, dimensions=4)
VOCABULARY = Vocabulary(tuple(f"word{number}" for number in range(150)), "d" * 64)
SECONDS = 10


class SharedCache:
    """Keeps in memory."""

    def __init__(self):
        self.kept = {}
        self.claimed = set()

    def get(self, name):
        return self.kept.get(name)

    def put(self, name, data):
        self.kept[name] = data

    def claim(self, name, seconds):
        if name in self.claimed:
            return False
        self.claimed.add(name)
        return True


class Encoder:
    """Counts its batches; fails as long as it is told to."""

    def __init__(self):
        self.batches = []
        self.failures = 0

    def __call__(self, texts, model):
        if self.failures:
            self.failures -= 1
            raise OSError("away")
        self.batches.append(len(texts))
        numbers = np.array([float(text.removeprefix("word")) for text in texts])
        vectors = np.stack([np.cos(numbers), np.sin(numbers), 0 * numbers, 0 * numbers], axis=1)
        return vectors.astype(np.float32)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("sightline_search_gateway.search.vocabulary.WAIT_SECONDS", 0.01)


def ready(words):
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if (found := words.get(MODEL)) is not None:
            return found
        time.sleep(0.005)
    raise AssertionError("not in time")


def test_words_are_encoded_once_and_found_by_the_next_process():
    cache, encoder = SharedCache(), Encoder()
    first = ready(VocabularyEmbedder(VOCABULARY, encoder, cache))
    assert first.texts == VOCABULARY.texts
    for place in (0, 7, 149):
        assert first.vectors[place, 0] == pytest.approx(np.cos(place), abs=1e-5)
    assert sum(encoder.batches) == len(VOCABULARY.texts)
    second = ready(VocabularyEmbedder(VOCABULARY, encoder, cache))
    assert sum(encoder.batches) == len(VOCABULARY.texts)
    assert second.vectors == pytest.approx(first.vectors, abs=2e-3)
    assert np.linalg.norm(second.vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert stored_embeddings(cache, VOCABULARY, MODEL) is not None


def test_another_model_or_vocabulary_has_vectors_of_its_own():
    cache = SharedCache()
    ready(VocabularyEmbedder(VOCABULARY, Encoder(), cache))
    assert stored_embeddings(cache, VOCABULARY, ModelRef("embedded", "b" * 64, 4)) is None
    assert stored_embeddings(cache, Vocabulary(VOCABULARY.texts, "e" * 64), MODEL) is None


def test_an_encoder_that_is_away_is_tried_again(caplog):
    encoder = Encoder()
    encoder.failures = 2
    cache = SharedCache()
    # What failed gives its claim back by time alone.
    cache.claim = lambda name, seconds: True
    assert ready(VocabularyEmbedder(VOCABULARY, encoder, cache)).texts == VOCABULARY.texts


def test_a_process_waits_for_another_that_is_at_it():
    cache, encoder = SharedCache(), Encoder()
    name_taken = threading.Event()
    claim = cache.claim

    def taken(name, seconds):
        name_taken.set()
        return False

    cache.claim = taken
    words = VocabularyEmbedder(VOCABULARY, encoder, cache)
    assert words.get(MODEL) is None
    assert name_taken.wait(SECONDS)
    assert encoder.batches == []
    cache.claim = claim
    ready(VocabularyEmbedder(VOCABULARY, encoder, cache))
    assert sum(encoder.batches) == len(VOCABULARY.texts)
    assert ready(words).texts == VOCABULARY.texts
    assert sum(encoder.batches) == len(VOCABULARY.texts)
