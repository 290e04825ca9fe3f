"""The order of results: one list, of which pages are cuts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pytest
from qdrant_client import QdrantClient
from qdrant_client.models import CollectionStatus, OptimizersConfigDiff
from sightline_catalogue import Filter, Image, SearchParams, TooDeep
from waiting import wait_for

COUNT, EQUAL, DIMENSIONS = 230, 30, 16
DIRECTION = np.eye(DIMENSIONS, dtype=np.float32)[0]
FIRST_EQUAL = 36
"""Images 36 to 65 are equally near: neither the end of a page of 7 nor the 50th result is between two groups."""


@dataclass
class Filled:
    """A collection, and its images in the expected order."""

    collection: object
    images: list[Image]

    def pages(self, size, ask, **wanted):
        """Return the ids of all pages of a size, each asked for by itself."""
        return [
            [image.id for image in ask(SearchParams(limit=size, offset=start, **wanted)).images]
            for start in range(0, COUNT + size, size)
        ]


@pytest.fixture
def filled(collection, make_image) -> Filled:
    """230 images of which 30 are equally near to DIRECTION."""
    images = [make_image(f"{'even' if place % 2 == 0 else 'odd'}/{place}.jpg") for place in range(COUNT)]
    levels = np.arange(COUNT, dtype=np.float32)
    levels[FIRST_EQUAL : FIRST_EQUAL + EQUAL] = FIRST_EQUAL
    angles = levels / COUNT
    vectors = np.zeros((COUNT, DIMENSIONS), np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    mixed = np.random.default_rng(3).permutation(COUNT)
    collection.upsert([images[place] for place in mixed], vectors[mixed])
    order = sorted(range(COUNT), key=lambda place: (levels[place], images[place].id))
    return Filled(collection, [images[place] for place in order])


def joined(pages):
    return list(chain.from_iterable(pages))


def ids(images):
    return [image.id for image in images]


def test_equally_near_images_come_by_id(filled):
    for limit in (1, 7, 40, 49, 50, 51, 60, 65, 66, 67, 199, 200, 201, 230, 1000):
        found = filled.collection.nearest(DIRECTION, SearchParams(limit=limit, with_vectors=True))
        assert ids(found.images) == ids(filled.images[:limit])
        assert (np.diff(found.similarities) <= 0).all()
        assert found.vectors @ DIRECTION == pytest.approx(found.similarities, abs=1e-5)


@pytest.mark.parametrize("size", [7, 10, 50, 64, 200])
def test_pages_are_cuts_of_one_list(filled, size):
    pages = filled.pages(size, lambda params: filled.collection.nearest(DIRECTION, params))
    assert joined(pages) == ids(filled.images)


def test_pages_of_a_filter_are_cuts_of_one_list(filled):
    wanted = Filter(labels=("odd",))
    pages = filled.pages(7, lambda params: filled.collection.nearest(DIRECTION, params), filter=wanted)
    assert joined(pages) == [image.id for image in filled.images if image.label == "odd"]


def test_pages_of_what_is_similar_are_cuts_of_one_list(filled):
    shown = filled.images[0]
    pages = filled.pages(7, lambda params: filled.collection.similar(shown.id, params))
    assert joined(pages) == ids(filled.images[1:])


def test_equal_images_are_similar_to_each_other_by_id(filled):
    shown, *others = filled.images[FIRST_EQUAL : FIRST_EQUAL + EQUAL]
    found = filled.collection.similar(shown.id, SearchParams(limit=10))
    assert ids(found.images) == ids(others[:10])


def test_batches_have_the_order_of_single_searches(filled):
    for limit in (7, 40, 60):
        [found] = filled.collection.nearest_batch([DIRECTION], SearchParams(limit=limit, with_vectors=True))
        assert ids(found.images) == ids(filled.images[:limit])
    [found] = filled.collection.nearest_batch([DIRECTION], SearchParams(limit=7, offset=40))
    assert ids(found.images) == ids(filled.images[40:47])


def test_the_same_query_gives_the_same_order(filled):
    params = SearchParams(limit=7, offset=38)
    first = ids(filled.collection.nearest(DIRECTION, params).images)
    for _ in range(5):
        assert ids(filled.collection.nearest(DIRECTION, params).images) == first


def test_pages_that_end_below_the_depth_are_refused(filled):
    assert len(filled.collection.nearest(DIRECTION, SearchParams(limit=1000)).images) == COUNT
    assert filled.collection.nearest(DIRECTION, SearchParams(limit=50, offset=950)).images == []
    for ask in (
        lambda params: filled.collection.nearest(DIRECTION, params),
        lambda params: filled.collection.nearest_batch([DIRECTION], params),
        lambda params: filled.collection.similar(filled.images[0].id, params),
    ):
        with pytest.raises(TooDeep, match=r"1,?000"):
            ask(SearchParams(limit=51, offset=950))


def wait_for_index(url, name):
    host, port = url.removeprefix("http://").split(":")
    client = QdrantClient(host=host, grpc_port=int(port), prefer_grpc=True, check_compatibility=False, timeout=60)
    if os.environ.get("QDRANT_URL"):
        client.update_collection(name, optimizers_config=OptimizersConfigDiff(indexing_threshold=100))

    def is_indexed():
        info = client.get_collection(name)
        return info.status == CollectionStatus.GREEN and (info.indexed_vectors_count or 0) > 0

    wait_for(is_indexed, "the index is built", 120)
    client.close()


def test_pages_of_an_approximate_search_are_cuts_of_one_list(indexing_namespace, make_image):
    """By a graph and int8 vectors, where a search for more results finds others among the first too."""
    dimensions, count = 64, 4000
    random = np.random.default_rng(5)
    vectors = random.standard_normal((count, dimensions)).astype(np.float32)
    vectors[100:130] = vectors[100] + 0.1 * vectors[0]
    # int8 tells these hardly apart: which of them are found depends on how many are scored again.
    vectors[1000:1500] = vectors[1000] + 0.02 * vectors[1000:1500]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    images = [make_image(f"{'even' if place % 2 == 0 else 'odd'}/{place}.jpg") for place in range(count)]
    collection = indexing_namespace.catalogue().ensure_collection(indexing_namespace.model(dimensions=dimensions))
    collection.upsert(images, vectors)
    wait_for_index(indexing_namespace.url, collection.name)

    def check(ask, wanted=None):
        whole = ask(SearchParams(limit=COUNT, filter=wanted))
        ranks = list(zip(-whole.similarities, ids(whole.images), strict=True))
        assert ranks == sorted(set(ranks))
        pages = [ids(ask(SearchParams(limit=7, offset=start, filter=wanted)).images) for start in range(0, 224, 7)]
        assert joined(pages) == ids(whole.images)[:224]
        for limit in (5, 20, 50):
            assert ids(ask(SearchParams(limit=limit, filter=wanted)).images) == joined(pages)[:limit]

    for query in (
        vectors[0] + vectors[100],
        vectors[1000] + 0.1 * vectors[0],
        *random.standard_normal((3, dimensions)).astype(np.float32),
    ):
        check(lambda params, query=query: collection.nearest(query, params))
        check(lambda params, query=query: collection.nearest(query, params), Filter(labels=("odd",)))
    check(lambda params: collection.similar(images[0].id, params))
