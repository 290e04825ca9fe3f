from __future__ import annotations

import numpy as np
import pytest
from sightline_search_gateway.exports import VocabularyEmbeddings

from benchmarks import naming
from benchmarks.harness.held import Pictures, as_images
from benchmarks.harness.ranking import Rows
from benchmarks.naming import name_clusters

THINGS = ("cat", "dog", "car", "tree", "boat")
NAMES = (*THINGS, *(f"word {number}" for number in range(300)))


def unit(rows):
    rows = np.asarray(rows, dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


VECTORS = unit(np.random.default_rng(0).standard_normal((len(NAMES), 64)))


class TextsByName:
    """Each text has the vector of its name; one that is not known, one of its own."""

    def __call__(self, texts):
        return np.stack([VECTORS[NAMES.index(text)] if text in NAMES else self._other(text) for text in texts])

    def _other(self, text):
        return unit(np.random.default_rng(sum(map(ord, text))).standard_normal(64))


@pytest.fixture
def pictures():
    """Fifteen pictures of each thing, near its name; the classifier takes all of them for one class."""
    of = np.repeat(np.arange(len(THINGS)), 15)
    noise = np.random.default_rng(1).standard_normal((len(of), 64)) / 30
    labels = [THINGS[thing] for thing in of]
    keys = [f"{label}/{place}.jpg" for place, label in enumerate(labels)]
    vectors = unit(VECTORS[of] + noise)
    return Pictures(as_images(keys, labels), Rows(vectors, vectors))


@pytest.fixture(autouse=True)
def few(monkeypatch):
    classes = [(f"class {number}", f"class {number}, kind {number}", "") for number in range(60)]
    monkeypatch.setattr(naming.conse, "class_texts", lambda: classes)


def test_names_that_fit_and_classes_that_do_not(pictures):
    rows, cosines = name_clusters(
        pictures, np.zeros(75, np.intp), TextsByName(), VocabularyEmbeddings(NAMES, VECTORS), ["anything", "something"]
    )
    assert len(rows) == len(cosines) >= 4
    ours, classes = cosines.mean(axis=0)
    assert ours > 0.9
    assert classes < 0.5
