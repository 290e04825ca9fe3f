from __future__ import annotations

import time

import numpy as np
import pytest
from fakes import vector_of
from sightline.encoder.client import Unavailable
from sightline.encoder.v1.encoder_pb2 import Reranking
from sightline_search_gateway.search import query_encoder
from sightline_search_gateway.search.reranking import rerank
from waiting import wait_for

HOW = Reranking(depth=200, best=10, alike_from=0.25, alike_to=0.5)
SIMILARITIES = np.linspace(0.6, 0.4, 40, dtype=np.float32)


def looks(*groups, noise=0.0):
    """Return unit vectors that look as their group's number says; those of one group differ by some noise."""
    random = np.random.default_rng(1)
    vectors = np.eye(60, dtype=np.float32)[list(groups)] + noise * random.standard_normal((len(groups), 60))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_what_looks_like_the_best_comes_before_what_does_not():
    groups = [0, 0, 1, 0, 0, 0, 2, 0, 0, 0, *[0, 3, 4] * 10]
    order = rerank(SIMILARITIES, looks(*groups), HOW)
    assert sorted(order) == list(range(40))
    assert [groups[place] for place in order[:12]] == [0] * 12
    # Among those that look alike, the more similar first.
    alike = [place for place in order if groups[place] == 0]
    assert alike == sorted(alike)


def test_where_the_best_have_little_in_common_the_text_alone_decides():
    groups = [*range(10), *[0, 50, 51] * 10]
    assert rerank(SIMILARITIES, looks(*groups), HOW).tolist() == list(range(40))


def test_what_they_look_like_counts_the_more_the_more_alike_they_are():
    groups = [*[0] * 5, 1, *[0] * 34]
    ranks = []
    for noise in (0.3, 0.2, 0.15, 0.05):
        order = rerank(SIMILARITIES, looks(*groups, noise=noise), HOW).tolist()
        ranks.append(order.index(5))
    assert ranks[0] == 5
    assert ranks[0] < ranks[1] < ranks[2] <= ranks[3] == 39


@pytest.mark.parametrize("count", [0, 1, 2, 10, 14])
def test_few_stay_as_they_are(count):
    groups = [1, *[0] * 40][:count]
    assert rerank(SIMILARITIES[:count], looks(*groups), HOW).tolist() == list(range(count))


def test_of_few_only_the_best_fifth_counts_as_the_best():
    # Nearly all look alike, but for the four best, which look like each other.
    groups = [1, 1, 1, 1, *[0] * 16]
    assert rerank(SIMILARITIES[:20], looks(*groups), HOW).tolist() == list(range(20))


def test_pictures_that_are_all_the_same_stay_as_they_are():
    same = np.full(40, 0.5, np.float32)
    assert rerank(same, looks(*[0] * 40), HOW).tolist() == list(range(40))


def search(world, **parameters):
    response = world.client.get("/api/v1/search", query_string=parameters)
    assert response.status_code == 200
    return [hit["id"] for hit in response.json["results"]]


@pytest.fixture
def described(world):
    """Some pictures, and a model that says how what a text finds is put in order."""
    for number in range(30):
        world.add(f"more/{number}.jpg", b"picture %d" % number)
    world.encoder.reranking = Reranking(depth=20, best=2, alike_from=-1.1, alike_to=-1.0)
    return world


def nearest(world, text):
    """Return the ids of the nearest pictures to a text, and in the order of a model that says so."""
    collection = world.collection
    found = [image for image in collection.images.values() if image.state == "indexed"]
    vectors, visual = (np.stack(collection.vectors([image.id for image in found], visual=which)) for which in (0, 1))
    similarities = vectors @ vector_of(text)
    order = np.argsort(-similarities, kind="stable")
    head = order[:20]
    moved = [*head[rerank(similarities[head], visual[head], world.encoder.reranking)], *order[20:]]
    return [found[place].id for place in order], [found[place].id for place in moved]


def test_a_text_finds_pictures_in_the_order_that_its_model_says(described):
    plain, moved = nearest(described, "a cat")
    assert plain != moved
    assert search(described, q="a cat") == moved
    assert [one for offset in (0, 10, 20, 30) for one in search(described, q="a cat", limit=10, offset=offset)] == moved
    # Another picture beside it, or none of the texts: as they are found.
    like = search(described, q="a cat", image_id=moved[0])
    assert like != [one for one in moved if one != moved[0]]


def test_a_text_that_is_to_be_avoided_is_not_put_in_order(described):
    post = {"q": "a cat", "q_weight": "-1"}
    answer = described.client.post("/api/v1/search", data=post, content_type="multipart/form-data")
    assert answer.status_code == 200, answer.json
    similarities = [hit["similarity"] for hit in answer.json["results"]]
    assert similarities == sorted(similarities, reverse=True)
    assert similarities[0] > 0


def test_a_model_that_says_nothing_leaves_them_as_they_are_found(described):
    described.encoder.reranking, how = None, described.encoder.reranking
    found = search(described, q="a cat")
    described.encoder.reranking = how
    assert found == nearest(described, "a cat")[0]


def test_a_model_may_say_something_else_later(described, monkeypatch):
    plain, moved = nearest(described, "a cat")
    assert search(described, q="a cat") == moved
    described.encoder.reranking = None
    assert search(described, q="a cat") == moved
    later = time.monotonic() + query_encoder.ASK_AGAIN_SECONDS
    monkeypatch.setattr(query_encoder.time, "monotonic", lambda: later)
    wait_for(lambda: search(described, q="a cat") == plain)


def test_where_the_encoder_is_away_what_was_said_holds_for_texts_that_are_known(described, monkeypatch):
    moved = nearest(described, "a cat")[1]
    assert search(described, q="a cat") == moved
    later = time.monotonic() + query_encoder.ASK_AGAIN_SECONDS
    monkeypatch.setattr(query_encoder.time, "monotonic", lambda: later)
    described.encoder.error = Unavailable("it is away", code=None)
    assert search(described, q="a cat") == moved
