from __future__ import annotations

import numpy as np
import pytest
from sightline_search_gateway.exports import VocabularyEmbeddings

from benchmarks import refining
from benchmarks.harness.presence import Labelled, Text
from benchmarks.harness.ranking import Rows
from benchmarks.refining import Searched, kind_pairs, measure_diversity, measure_marked, measure_not

THINGS = ("apple", "orange", "car")
DIMENSIONS = 64


def unit(rows):
    rows = np.asarray(rows, dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.fixture
def random():
    return np.random.default_rng(3)


@pytest.fixture
def searched(random):
    """Forty pictures of each thing; texts do not tell apples from oranges well, their looks do."""

    def near(rows, noise):
        return unit(rows[of] + noise * random.standard_normal((len(of), DIMENSIONS)))

    of = np.repeat(np.arange(len(THINGS)), 40)
    names = unit(random.standard_normal((len(THINGS), DIMENSIONS)))
    meaning = names.copy()
    meaning[1] = unit(names[0] + 2 * names[1])
    vectors = unit(meaning[of] + random.standard_normal((len(of), DIMENSIONS)) / 12)
    visual = unit(
        unit(random.standard_normal((len(THINGS), DIMENSIONS)))[of] + random.standard_normal((len(of), DIMENSIONS)) / 9
    )
    words = VocabularyEmbeddings(tuple(map(str, range(300))), unit(random.standard_normal((300, DIMENSIONS))))
    rows = Rows(vectors, visual)
    held = Labelled.of(rows, np.array(THINGS)[of], words)
    texts = [Text(name, vector, frozenset({name})) for name, vector in zip(THINGS, names, strict=True)]
    fruit = Text("fruit", unit(names[0] + names[1]), frozenset({"apple", "orange"}))
    return Searched(held, words), texts, fruit


def test_what_is_not_wanted_is_gone_and_the_others_stay(searched):
    held, texts, fruit = searched
    [apple, orange] = kind_pairs(texts, [fruit, texts[2]])
    assert (apple.folder, orange.folder) == ("apple", "orange")
    found = measure_not("kinds", held, [apple, orange])
    assert found["kinds_not_unwanted"] < found["kinds_without_unwanted"] / 2
    assert found["kinds_not_picture_unwanted"] < found["kinds_without_unwanted"] / 2
    assert found["kinds_not_right"] > found["kinds_without_right"]


def test_marked_results_make_the_next_ones_righter(searched):
    held, [apple, orange, _], _ = searched
    text = apple._replace(vector=unit(1.6 * apple.vector + orange.vector))
    found = measure_marked(held, [text])
    assert found["marked_0_0"] == found["marked_0_0_plain"]
    assert found["marked_1_1"] > found["marked_1_1_plain"]


def test_diversity_shows_more_folders(searched):
    held, _, fruit = searched
    found = measure_diversity("kinds", held, [fruit._replace(folders=frozenset(THINGS))])
    assert found["kinds_folders_0.0"] <= found["kinds_folders_0.5"]
    assert set(refining.DIVERSITIES) == {0.0, 0.3, 0.5, 0.7}
