from __future__ import annotations

import numpy as np
import pytest
from sightline_search_gateway.exports import VocabularyEmbeddings

from benchmarks.harness.held import Pictures, as_images
from benchmarks.harness.ranking import Rows
from benchmarks.naming import Named, named_clusters, share_that_fits

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


@pytest.fixture
def words():
    return VocabularyEmbeddings(NAMES, VECTORS)


def test_clusters_are_named_by_their_folders_and_without_these_by_words(pictures, words):
    for sorted_in_folders in (True, False):
        clusters = named_clusters(pictures, TextsByName(), words, ["cat", "boat"], sorted_in_folders=sorted_in_folders)
        assert {cluster.query for cluster in clusters} == {"cat", "boat"}
        named = [cluster for cluster in clusters if cluster.name is not None]
        assert named
        assert all(share_that_fits(cluster, TextsByName(), 0.5) == 1 for cluster in named)


@pytest.mark.parametrize(
    ("name", "labels", "share"),
    [
        ("cat", ["cat", "cat", "dog", ""], 0.5),
        ("cat and dog", ["cat", "cat", "dog", "boat"], 0.75),
        ("boat", ["cat"], 0),
        ("cat and mouse", ["cat_and_mouse", "dog"], 0.5),
    ],
)
def test_a_name_fits_the_pictures_that_it_speaks_of(name, labels, share):
    assert share_that_fits(Named("anything", name, labels), TextsByName(), 0.5) == share
