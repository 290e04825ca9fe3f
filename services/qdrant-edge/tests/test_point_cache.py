"""The cache of serialized points, and that a search never returns what was there before a write."""

from __future__ import annotations

import itertools
from uuid import UUID

import numpy as np
import pytest
from qdrant_client import models
from sightline_qdrant_edge.point_cache import PointCache

NUMBERS = itertools.count()
SIZE = 8


def test_a_point_of_another_version_or_other_selectors_is_not_returned():
    cache = PointCache(10_000)
    cache.put({1: (7, b"one"), UUID(int=1): (7, b"other")}, b"all")
    assert cache.get([1, UUID(int=1), 2], [7, 7, 7], b"all") == [b"one", b"other", None]
    assert cache.get([1], [8], b"all") == [None]
    assert cache.get([1], [7], b"some") == [None]
    cache.put({1: (8, b"new")}, b"all")
    assert cache.get([1], [8], b"all") == [b"new"]


def test_the_points_that_were_used_last_are_kept():
    cache = PointCache(3000)
    for number in range(5):
        cache.put({number: (0, b"x" * 600)}, b"")
        cache.get([0], [0], b"")
    assert [data is not None for data in cache.get(range(5), [0] * 5, b"")] == [True, False, False, True, True]


def test_nothing_is_kept_without_room():
    cache = PointCache(0)
    cache.put({1: (7, b"one")}, b"")
    assert cache.get([1], [7], b"") == [None]


@pytest.fixture
def found(shared):
    """Returns what a search finds first, by a function; with the functions that write."""
    name = f"cached-{next(NUMBERS)}"
    shared.create_collection(
        name, vectors_config={"image": models.VectorParams(size=SIZE, distance=models.Distance.COSINE)}
    )
    vectors = np.eye(SIZE, dtype=np.float32)

    def upsert(number, label, direction):
        point = models.PointStruct(id=number, vector={"image": vectors[direction].tolist()}, payload={"label": label})
        shared.upsert(name, [point])

    def search(direction=0):
        [point] = shared.query_points(
            name, vectors[direction].tolist(), using="image", limit=1, with_payload=True, with_vectors=["image"]
        ).points
        return point.id, point.payload, point.vector["image"].index(1.0), round(point.score, 3)

    search.upsert, search.client, search.name = upsert, shared, name
    yield search
    shared.delete_collection(name)


def test_a_search_returns_every_write(found):
    found.upsert(1, "first", 0)
    assert found() == found() == (1, {"label": "first"}, 0, 1.0)
    found.client.set_payload(found.name, {"label": "second"}, [1])
    assert found() == found() == (1, {"label": "second"}, 0, 1.0)
    found.upsert(1, "third", 1)
    assert found(1) == found(1) == (1, {"label": "third"}, 1, 1.0)
    assert found(0) == (1, {"label": "third"}, 1, 0.0)
    found.client.delete(found.name, models.PointIdsList(points=[1]))
    found.upsert(1, "fourth", 0)
    assert found() == (1, {"label": "fourth"}, 0, 1.0)


def test_what_is_asked_for_of_a_point_is_returned_whatever_was_asked_for_before(found):
    found.upsert(1, "first", 0)
    found()
    query = [1.0] + [0.0] * (SIZE - 1)
    for payload, vectors in ((True, False), (["other"], True), (False, ["image"]), (False, False), (True, True)) * 2:
        [point] = found.client.query_points(
            found.name, query, using="image", with_payload=payload, with_vectors=vectors
        ).points
        assert bool(point.payload) is (payload is True)
        assert bool(point.vector) is bool(vectors)
        assert point.score == pytest.approx(1.0)
