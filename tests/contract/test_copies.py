"""Images of equal bytes: shown once where that is asked for, and counted."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from sightline_catalogue import Filter, SearchParams

DIMENSIONS = 16
DIRECTION = np.eye(DIMENSIONS, dtype=np.float32)[0]
SIZES = [1, 30, 1, 2, *[1] * 60, 7]
"""How many images have each of some contents, the nearest to DIRECTION first."""


def fill(collection, make_image, sizes):
    """Store images, and return those of each content, in the order of their ids."""
    contents = []
    for place, size in enumerate(sizes):
        keys = [f"{'first' if number == 0 else 'others'}/{place}-{number}.jpg" for number in range(size)]
        contents.append(sorted((make_image(key, sha256=f"{place:064x}") for key in keys), key=lambda image: image.id))
    angles = np.arange(len(sizes)) / len(sizes)
    vectors = np.zeros((len(sizes), DIMENSIONS), np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    images = list(chain.from_iterable(contents))
    collection.upsert(images, np.repeat(vectors, sizes, axis=0))
    return contents


@pytest.fixture
def contents(collection, make_image):
    return fill(collection, make_image, SIZES)


def ids(images):
    return [image.id for image in images]


@pytest.mark.parametrize(("offset", "limit"), [(0, 1), (0, 20), (0, 50), (1, 3), (10, 50), (0, 200)])
def test_a_search_returns_each_content_once_with_the_number_of_its_copies(collection, contents, offset, limit):
    params = SearchParams(limit=limit, offset=offset, distinct=True, with_vectors=True)
    found = collection.nearest(DIRECTION, params)
    expected = slice(offset, offset + limit)
    assert ids(found.images) == [images[0].id for images in contents][expected]
    assert found.copies == [size - 1 for size in SIZES][expected]
    assert found.vectors @ DIRECTION == pytest.approx(found.similarities, abs=1e-5)
    [batched] = collection.nearest_batch([DIRECTION], params)
    assert (ids(batched.images), batched.copies) == (ids(found.images), found.copies)


def test_all_are_returned_and_none_counted_unless_asked_for(collection, contents):
    found = collection.nearest(DIRECTION, SearchParams(limit=200))
    assert len(found.images) == sum(SIZES)
    assert found.copies is None


def test_copies_outside_of_a_filter_do_not_count(collection, contents):
    wanted = Filter(labels=("others",))
    found = collection.nearest(DIRECTION, SearchParams(limit=50, filter=wanted, distinct=True))
    assert [(image.sha256, count) for image, count in zip(found.images, found.copies, strict=True)] == [
        (images[0].sha256, size - 2) for images, size in zip(contents, SIZES, strict=True) if size > 1
    ]


def test_what_is_similar_to_an_image_is_none_of_its_copies(collection, contents):
    [own, *copies] = contents[1]
    found = collection.similar(own.id, SearchParams(limit=5, distinct=True))
    assert not {own.id, *ids(copies)} & set(ids(found.images))
    assert len(found.images) == 5
    with_copies = collection.similar(own.id, SearchParams(limit=len(copies)))
    assert ids(with_copies.images) == ids(copies)


def test_images_of_some_bytes_are_left_out(collection, contents):
    left_out = tuple(contents[place][0].sha256 for place in (0, 1))
    found = collection.nearest(DIRECTION, SearchParams(limit=5, exclude_copies=left_out, distinct=True))
    assert ids(found.images) == [images[0].id for images in contents[2:7]]
    assert found.copies == [0, 1, 0, 0, 0]


def test_more_copies_than_a_search_is_deep_hide_nothing(collection, make_image):
    contents = fill(collection, make_image, [1100, 1, 1300, *[1] * 20])
    found = collection.nearest(DIRECTION, SearchParams(limit=10, distinct=True))
    assert [image.sha256 for image in found.images] == [images[0].sha256 for images in contents[:10]]
    assert found.copies == [1099, 0, 1299, *[0] * 7]


@pytest.mark.parametrize("limit", [1, 3, 10, 100])
def test_pages_show_each_content_once_whatever_their_size(collection, contents, limit):
    shown, copies, cursor = [], [], None
    while True:
        page = collection.browse(None, limit, cursor, distinct=True)
        assert len(page.images) <= limit
        shown += page.images
        copies += page.copies
        cursor = page.cursor
        if cursor is None:
            break
    assert sorted(image.sha256 for image in shown) == sorted(images[0].sha256 for images in contents)
    assert {image.sha256: count for image, count in zip(shown, copies, strict=True)} == {
        images[0].sha256: len(images) - 1 for images in contents
    }


def test_the_copies_of_an_image_are_counted_and_found(collection, contents):
    several = [contents[1][0], contents[0][0], contents[3][1]]
    assert collection.count_copies(several) == [29, 0, 1]
    page = collection.browse(Filter(sha256=(contents[1][0].sha256,)), 100)
    assert sorted(ids(page.images)) == ids(contents[1])
