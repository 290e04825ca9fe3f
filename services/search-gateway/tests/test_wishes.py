from __future__ import annotations

import numpy as np
import pytest
from sightline.encoder.v1.encoder_pb2 import Reranking
from sightline_search_gateway.search.unwanted import Unwanted
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings
from sightline_search_gateway.search.wishes import Wishes

SIMILARITIES = np.linspace(0.6, 0.4, 30, dtype=np.float32)
NONE = np.empty((0, 3), np.float32)
HOW = Reranking(depth=20, best=5, alike_from=0.3, alike_to=0.5)


def looks(*kinds):
    """Return unit vectors that look as their kind's number says."""
    return np.eye(3, dtype=np.float32)[list(kinds)]


ZERO = Unwanted(looks(0)[0])


def test_nothing_said_leaves_the_order():
    visual = looks(*[0, 1, 2] * 10)
    assert Wishes((), NONE, NONE).order(SIMILARITIES, visual, visual, None).tolist() == list(range(30))
    assert Wishes((), NONE, NONE).share_wanted(visual, visual).tolist() == [1] * 30


def test_what_is_not_wanted_goes_last_and_the_others_keep_their_order():
    visual = looks(*[0, 1, 2] * 10)
    order = Wishes([ZERO], NONE, NONE).order(SIMILARITIES, visual, visual, None)
    assert [place for place in order if place % 3] == [place for place in range(30) if place % 3]
    assert all(place % 3 for place in order[:15])
    assert order[-1] == 27


def test_what_may_not_be_there_takes_less_away():
    visual = looks(*[0, 1, 2] * 10)
    unsure = Wishes([Unwanted(looks(0)[0], certainty=0.2)], NONE, NONE)
    assert unsure.share_wanted(visual, visual)[:3].tolist() == pytest.approx([0.8, 1, 1])
    assert set(unsure.order(SIMILARITIES, visual, visual, None)[:10] % 3) == {0, 1, 2}


def test_the_best_of_what_is_wanted_decide_what_a_model_takes_for_right():
    # Without "not", the best look like kind 0, and all of it would go first.
    visual = looks(*[0] * 8, *[1] * 8, *[2, 1] * 7)
    order = Wishes([ZERO], NONE, NONE).order(SIMILARITIES, visual, visual, HOW)
    assert np.argmax(visual[order[:11]], axis=1).tolist() == [1] * 11


def test_a_text_whose_results_have_little_in_common_takes_little_away():
    visual = looks(*[0, 1, 2] * 10)
    sure, unsure = Wishes([ZERO], NONE, NONE), Wishes([Unwanted(ZERO.looks / 5)], NONE, NONE)
    assert sure.share_wanted(visual, visual)[0] == 0
    assert unsure.share_wanted(visual, visual)[0] == 1


def test_looks_are_taken_beyond_what_unrelated_pictures_share():
    visual = looks(*[0, 1, 2] * 10)
    visual = np.concatenate([visual * 0.6, np.full((30, 1), 0.8, np.float32)], axis=1)
    other = np.array([0, 0, 0.6, 0.8], np.float32)
    none = np.empty((0, 4), np.float32)
    # Of a model to which all pictures look alike, 0.64 is nothing.
    assert Wishes([Unwanted(other)], none, none, chance=0.64).share_wanted(visual, visual).tolist() == [1, 1, 0] * 10
    assert not Wishes([Unwanted(other)], none, none, chance=0.0).share_wanted(visual, visual).any()


def test_right_and_wrong_results():
    visual = looks(*[0, 1, 2] * 10)
    for liked, disliked, first in ((looks(1), NONE, 1), (looks(2), looks(0, 1), 2), (looks(1, 1), looks(0), 1)):
        order = Wishes((), liked, disliked).order(SIMILARITIES, visual, visual, HOW)
        assert np.argmax(visual[order[:10]], axis=1).tolist() == [first] * 10
    order = Wishes((), NONE, looks(0)).order(SIMILARITIES, visual, visual, HOW)
    assert np.argmax(visual[order[-10:]], axis=1).tolist() == [0] * 10
    assert Wishes((), NONE, looks(0)).share_wanted(visual, visual).tolist() == [0, 1, 1] * 10


def test_few_results():
    for count in (1, 2):
        wishes = Wishes([ZERO], looks(1), looks(2))
        few = looks(0, 1)[:count]
        assert sorted(wishes.order(SIMILARITIES[:count], few, few, HOW)) == list(range(count))


def test_what_only_looks_like_what_is_not_wanted_stays():
    """Oranges and strawberries look alike; the text of what is looked for is nearer to strawberries."""
    axes = np.eye(8, dtype=np.float32)
    words = VocabularyEmbeddings(tuple(f"word {place}" for place in range(16)), np.concatenate([axes, -axes]))
    orange, fruit = axes[0], axes[1]
    vectors = np.stack([orange, fruit])[[0, 1] * 15]
    visual = looks(*[0] * 30)
    meant = Unwanted(looks(0)[0], contrast=orange - fruit)
    wanted = Wishes([meant], NONE, NONE, words=words).share_wanted(vectors, visual)
    assert wanted.tolist() == pytest.approx([0, 1] * 15, abs=0.01)
    assert not Wishes([meant], NONE, NONE).share_wanted(vectors, visual).any()
