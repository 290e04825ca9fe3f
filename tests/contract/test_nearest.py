"""Searches, against numpy over the same vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sightline_catalogue import Collection, Filter, Image, NotIndexed, SearchParams, UnknownImage, image_id

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@dataclass
class Filled:
    """A collection and what is in it."""

    collection: Collection
    images: list[Image]
    vectors: np.ndarray

    def expected(self, vector, wanted=lambda image: True):
        """Return indices and cosines, nearest first, of the images that are wanted."""
        cosines = self.vectors @ (vector / np.linalg.norm(vector))
        order = [place for place in np.argsort(-cosines) if wanted(self.images[place])]
        return [self.images[place].key for place in order], cosines[order]


@pytest.fixture
def filled(collection, make_image, random_vectors) -> Filled:
    images = []
    for number in range(60):
        folder = ("animals/cats", "animals/dogs", "things", "")[number % 4]
        taken = NOON.replace(tzinfo=None) + timedelta(hours=number) if number % 3 else None
        images.append(
            make_image(
                f"{folder}/{number}.jpg".lstrip("/"),
                format=("JPEG", "PNG")[number % 2],
                taken_at=taken,
                modified_at=NOON + timedelta(hours=100 - number),
            )
        )
    vectors = random_vectors(60)
    collection.upsert(images, vectors)
    # Neither may ever be found: one has no vector, the other one that is out of date.
    collection.upsert([make_image(f"bad/{number}.jpg", state="failed", reason="no image") for number in range(5)], None)
    stale = [make_image(f"stale/{number}.jpg") for number in range(5)]
    collection.upsert(stale, random_vectors(5))
    collection.set_state([image.id for image in stale], "pending")
    return Filled(collection, images, vectors)


def keys(nearest):
    return [image.key for image in nearest.images]


def test_nearest_are_those_of_exact_search(filled, random_vectors):
    for query in random_vectors(5):
        nearest = filled.collection.nearest(query * 3, SearchParams(limit=50, with_vectors=True))
        expected, cosines = filled.expected(query)
        assert keys(nearest) == expected[:50]
        assert nearest.similarities == pytest.approx(cosines[:50], abs=1e-5)
        assert nearest.similarities.dtype == nearest.vectors.dtype == np.float32
        assert nearest.vectors.shape == (50, 16)
        assert nearest.vectors @ (query / np.linalg.norm(query)) == pytest.approx(nearest.similarities, abs=1e-5)


def test_vectors_are_left_out_unless_requested(filled, random_vectors):
    assert filled.collection.nearest(random_vectors(1)[0], SearchParams(limit=3)).vectors is None


def test_images_come_without_the_fields_of_ingestion(filled):
    nearest = filled.collection.nearest(filled.vectors[8], SearchParams(limit=1))
    assert nearest.images == [replace(filled.images[8], attempts=0, etag=None)]
    assert filled.collection.get([nearest.images[0].id]) == [filled.images[8]]
    assert nearest.similarities[0] == pytest.approx(1, abs=1e-5)


def test_only_indexed_images_are_found(filled, random_vectors):
    found = filled.collection.nearest(random_vectors(1)[0], SearchParams(limit=1000))
    assert len(found.images) == 60
    assert {image.state for image in found.images} == {"indexed"}
    assert (
        filled.collection.nearest(
            random_vectors(1)[0], SearchParams(limit=5, filter=Filter(states=("failed", "pending")))
        ).images
        == []
    )
    only = filled.collection.nearest(
        random_vectors(1)[0], SearchParams(limit=1000, filter=Filter(states=("failed", "indexed")))
    )
    assert len(only.images) == 60


def test_offset_skips_the_nearest(filled, random_vectors):
    [query] = random_vectors(1)
    expected, _ = filled.expected(query)
    assert keys(filled.collection.nearest(query, SearchParams(limit=10, offset=25))) == expected[25:35]
    assert keys(filled.collection.nearest(query, SearchParams(limit=10, offset=55))) == expected[55:]
    assert keys(filled.collection.nearest(query, SearchParams(limit=10, offset=500))) == []


def test_images_are_excluded_by_id(filled, random_vectors):
    [query] = random_vectors(1)
    expected, _ = filled.expected(query)
    unwanted = tuple(image.id for image in filled.images if image.key in expected[1:4])
    assert keys(filled.collection.nearest(query, SearchParams(limit=5, exclude=unwanted))) == [
        expected[0],
        *expected[4:8],
    ]
    assert keys(filled.collection.nearest(query, SearchParams(limit=2, offset=1, exclude=unwanted))) == expected[4:6]


AFTER, BEFORE = (NOON.replace(tzinfo=None) + timedelta(hours=hours) for hours in (20, 50))


def moment(image):
    return image.taken_at or image.modified_at.replace(tzinfo=None)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Filter(), lambda image: True),
        (Filter(labels=("cats",)), lambda image: image.label == "cats"),
        (Filter(labels=("cats", "things")), lambda image: image.label in ("cats", "things")),
        (Filter(labels=("fish",)), lambda image: False),
        (Filter(folders=("animals",)), lambda image: image.key.startswith("animals/")),
        (Filter(folders=("animals/dogs", "things")), lambda image: image.label in ("dogs", "things")),
        (Filter(formats=("PNG",)), lambda image: image.format == "PNG"),
        (Filter(after=AFTER), lambda image: moment(image) >= AFTER),
        (Filter(before=BEFORE), lambda image: moment(image) < BEFORE),
        (Filter(after=AFTER, before=BEFORE), lambda image: AFTER <= moment(image) < BEFORE),
        (
            Filter(after=AFTER + timedelta(microseconds=1), before=BEFORE - timedelta(microseconds=1)),
            lambda image: AFTER < moment(image) < BEFORE,
        ),
        (
            Filter(labels=("cats",), formats=("JPEG",), states=("indexed",), after=AFTER, folders=("animals",)),
            lambda image: image.label == "cats" and image.format == "JPEG" and moment(image) >= AFTER,
        ),
    ],
)
def test_filters_apply_to_searches_and_pages_alike(filled, random_vectors, wanted, fits):
    [query] = random_vectors(1)
    expected, _ = filled.expected(query, fits)
    assert keys(filled.collection.nearest(query, SearchParams(limit=100, filter=wanted))) == expected
    page = filled.collection.browse(wanted, 100)
    listed = [image.key for image in page.images if image.key.split("/")[0] not in ("bad", "stale")]
    assert sorted(listed) == sorted(expected)


def test_batches_answer_like_single_searches(filled, random_vectors):
    queries = random_vectors(4)
    wanted = Filter(folders=("animals",))
    found = filled.collection.nearest_batch(queries, SearchParams(limit=7, filter=wanted, with_vectors=True))
    for query, nearest in zip(queries, found, strict=True):
        alone = filled.collection.nearest(query, SearchParams(limit=7, filter=wanted, with_vectors=True))
        assert keys(nearest) == keys(alone)
        assert nearest.similarities == pytest.approx(alone.similarities, abs=1e-6)
        assert nearest.vectors == pytest.approx(alone.vectors)
    assert filled.collection.nearest_batch([], SearchParams(limit=7)) == []


def test_similar_leaves_the_image_itself_out(filled):
    image, vector = filled.images[17], filled.vectors[17]
    expected, cosines = filled.expected(vector, lambda other: other is not image)
    nearest = filled.collection.similar(image.id, SearchParams(limit=20, with_vectors=True))
    assert keys(nearest) == expected[:20]
    assert nearest.similarities == pytest.approx(cosines[:20], abs=1e-5)
    assert keys(filled.collection.similar(image.id, SearchParams(limit=5, offset=20))) == expected[20:25]
    cats = filled.collection.similar(image.id, SearchParams(limit=100, filter=Filter(labels=("cats",))))
    assert {found.label for found in cats.images} == {"cats"}


def test_similar_of_an_unknown_image(filled):
    with pytest.raises(UnknownImage, match="there is no image") as raised:
        filled.collection.similar(image_id("main", b"nowhere"), SearchParams(limit=5))
    assert not isinstance(raised.value, NotIndexed)


def test_similar_of_an_image_without_a_vector(filled):
    with pytest.raises(NotIndexed, match=r"bad/0.jpg is failed"):
        filled.collection.similar(image_id("main", b"bad/0.jpg"), SearchParams(limit=5))


def test_an_empty_collection_has_no_nearest(collection, random_vectors):
    nearest = collection.nearest(random_vectors(1)[0], SearchParams(limit=5, with_vectors=True))
    assert nearest.images == []
    assert nearest.vectors.shape == (0, 16)
    assert nearest.similarities.shape == (0,)
