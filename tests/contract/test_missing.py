"""Images whose objects are missing: over the fake collection and over the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sightline_catalogue import Counts, Filter, SearchParams, UnknownImage

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOWHERE = "00000000-0000-5000-8000-000000000000"


@pytest.fixture
def images(collection, make_image, random_vectors):
    images = [make_image(f"in/{number}.jpg", sha256=str(number) * 64) for number in range(4)]
    collection.upsert(images, random_vectors(4))
    return images


def keys_of(images):
    return sorted(image.key for image in images)


def found(collection):
    vector = [1.0] * collection.model.dimensions
    return keys_of(collection.nearest(vector, SearchParams(limit=10)).images)


def test_what_is_marked_stays_as_it_is(collection, images):
    collection.missing.mark([images[0].id, NOWHERE], NOON)
    assert found(collection) == keys_of(images)
    assert collection.counts() == Counts(indexed=4)
    assert collection.get([images[0].id, NOWHERE]) == [replace(images[0], missing_since=NOON), None]
    assert {one.id: one.missing_since for one in collection.scan_states()}[images[0].id] == NOON
    [missing] = collection.missing.scan(NOON)
    assert (missing.key, missing.sha256, missing.bytes) == (images[0].key, images[0].sha256, images[0].bytes)
    collection.missing.hold([images[0].id], 4)
    assert [one.held_of for one in collection.missing.scan(NOON)] == [4]
    collection.missing.hold([images[0].id], None)
    assert [one.held_of for one in collection.missing.scan(NOON)] == [None]
    collection.missing.unmark([images[0].id])
    assert list(collection.missing.scan(NOON)) == []
    assert collection.get([images[0].id]) == [images[0]]


def test_what_is_removed_is_kept_and_not_shown(collection, images):
    first = images[0].id
    collection.missing.mark([first], NOON)
    collection.missing.remove([first], NOON + HOUR)
    rest = keys_of(images[1:])
    assert found(collection) == rest
    assert collection.counts() == Counts(indexed=3)
    assert collection.count() == 3
    assert keys_of(collection.browse(None, 10).images) == rest
    assert keys_of(collection.browse(Filter(folders=("in",)), 10).images) == rest
    assert collection.get([first]) == [None]
    assert collection.labels() == {"in": 3}
    with pytest.raises(UnknownImage):
        collection.similar(first, SearchParams(limit=3))
    [kept] = collection.get([first], removed=True)
    assert (kept.state, kept.removed_at, kept.sha256) == ("removed", NOON + HOUR, images[0].sha256)
    assert {one.id: one.state for one in collection.scan_states()}[first] == "removed"
    assert set(collection.by_sha256([images[0].sha256])) == {images[0].sha256}
    assert list(collection.missing.copies([images[0].sha256])) == []


def test_what_is_removed_is_listed_by_when(collection, images):
    first = images[0].id
    collection.missing.mark([first], NOON)
    collection.missing.remove([first], NOON + HOUR)
    assert [one.id for one in collection.missing.scan(NOON - HOUR)] == [first]
    assert list(collection.missing.scan(NOON)) == []
    assert [one.id for one in collection.missing.removed_before(NOON + 2 * HOUR)] == [first]
    assert list(collection.missing.removed_before(NOON + HOUR)) == []


def test_a_state_brings_back_what_is_removed(collection, images):
    first = images[0].id
    collection.missing.mark([first], NOON)
    collection.missing.hold([first], 4)
    collection.missing.remove([first], NOON)
    collection.set_state([first], "indexed")
    assert collection.get([first]) == [images[0]]
    assert found(collection) == keys_of(images)
    assert list(collection.missing.scan(NOON - HOUR)) == []


def test_copies_and_what_is_pending_are_listed(collection, images, make_image, random_vectors):
    twin = make_image("other/copy.jpg", sha256=images[1].sha256, indexed_at=NOON)
    collection.upsert([twin], random_vectors(1))
    assert {one.id for one in collection.missing.copies([images[1].sha256, "f" * 64])} == {images[1].id, twin.id}
    assert {one.indexed_at for one in collection.missing.copies([images[1].sha256]) if one.id == twin.id} == {NOON}
    waiting = make_image("new.jpg", state="pending", bytes=77)
    collection.upsert([waiting], None)
    assert [(one.id, one.bytes) for one in collection.missing.scan_pending()] == [(waiting.id, 77)]
