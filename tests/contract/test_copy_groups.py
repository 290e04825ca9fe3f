"""Groups of copies and bursts: written by contents, shown once, listed in pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from drawn_scenes import draw_scene
from fakes import FakeThumbnailStore
from sightline_catalogue import EQUAL, NEAR, Filter, SearchParams
from sightline_ingest_worker.worker.grouping import group
from sightline_ingest_worker.worker.sketches import Sketches
from sightline_pictures import thumbnail

DIMENSIONS = 16
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
FIRST, NEAR_ONE, OTHER, ALONE = (f"{number:064x}" for number in range(1, 5))
CONTENTS = [FIRST, FIRST, NEAR_ONE, OTHER, OTHER, ALONE]


@pytest.fixture
def images(collection, make_image):
    """Two of the same bytes and one nearly equal; two more of the same bytes; and one without copies."""
    stored = [
        make_image(f"folder{place % 2}/{place}.jpg", sha256=sha256, indexed_at=NOON + timedelta(seconds=place))
        for place, sha256 in enumerate(CONTENTS)
    ]
    angles = np.arange(len(stored)) / 10
    vectors = np.zeros((len(stored), DIMENSIONS), np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    collection.upsert(stored, vectors)
    groups = collection.copy_groups
    groups.set_equal([stored[1].id], FIRST)
    groups.set_equal([stored[4].id], OTHER)
    groups.set_copy(NEAR_ONE, FIRST, NEAR)
    return stored


def ids(images):
    return {image.id for image in images}


def nearest(collection, **changes):
    return collection.nearest(np.eye(DIMENSIONS, dtype=np.float32)[0], SearchParams(limit=10, **changes))


def test_a_group_is_shown_once_and_counted(collection, images):
    found = nearest(collection, distinct=True)
    assert [image.id for image in found.images] == [images[place].id for place in (0, 3, 5)]
    assert found.copies == [2, 1, 0]
    assert len(nearest(collection).images) == 6


def test_all_of_a_group_are_left_out_and_found(collection, images):
    assert ids(nearest(collection, exclude_copies=(FIRST,)).images) == ids(images[3:])
    assert ids(collection.browse(Filter(copy_groups=(FIRST,)), 10).images) == ids(images[:3])
    assert ids(collection.similar(images[2].id, SearchParams(limit=5, distinct=True)).images) <= ids(images[3:])
    stored = collection.get([image.id for image in images])
    assert collection.count_copies(stored) == [2, 2, 2, 1, 1, 0]


def test_the_collection_and_its_labels_know_the_groups(collection, images):
    page = collection.browse(None, 10, distinct=True)
    assert sorted(page.copies) == [0, 1, 2]
    groups = {one.id: one.copy_group for batch in collection.scan_labels() for one in batch}
    assert [groups[image.id] for image in images] == [FIRST, FIRST, FIRST, OTHER, OTHER, ALONE]


def test_groups_are_listed_by_kind(collection, images):
    groups = collection.copy_groups
    listed = {kind: groups.page(kind, 10).groups for kind in (None, "equal", "near", "burst")}
    assert sorted((group.kind, group.count) for group in listed[None]) == [(EQUAL, 2), (NEAR, 3)]
    assert {frozenset(ids(group.images)) for group in listed["equal"]} == {
        frozenset(ids(images[:2])),
        frozenset(ids(images[3:5])),
    }
    [near] = listed["near"]
    assert [image.id for image in near.images] == [image.id for image in images[:3]]
    assert listed["burst"] == []


def test_pages_of_groups_follow_each_other(collection, make_image):
    stored = [
        make_image(f"{place}-{number}.jpg", sha256=f"{100 + place:064x}") for place in range(7) for number in range(3)
    ]
    collection.upsert(stored, np.random.default_rng(1).standard_normal((len(stored), DIMENSIONS)))
    for place in range(7):
        three = stored[3 * place :][:3]
        collection.copy_groups.set_equal([image.id for image in three[1:]], three[0].sha256)
    seen, cursor = [], None
    while True:
        page = collection.copy_groups.page(None, 2, cursor)
        assert len(page.groups) <= 2
        seen += [group.images[0].sha256 for group in page.groups]
        cursor = page.cursor
        if cursor is None:
            break
    assert sorted(seen) == sorted({image.sha256 for image in stored})


def test_a_filter_narrows_a_group_and_one_picture_is_none(collection, images):
    [group] = collection.copy_groups.page(None, 10, None, Filter(labels=("folder0",))).groups
    assert ids(group.images) == {images[0].id, images[2].id}
    collection.delete([images[3].id])
    assert [one.kind for one in collection.copy_groups.page(None, 10).groups] == [NEAR]


def test_what_is_read_by_contents_comes_oldest_first_and_what_was_changed_is_none_of_them(collection, images):
    groups = collection.copy_groups
    found = groups.of_contents([FIRST, ALONE, "f" * 64])
    assert {sha256: [image.id for image in group] for sha256, group in found.items()} == {
        FIRST: [images[0].id, images[1].id],
        ALONE: [images[5].id],
    }
    assert ids(groups.copies_of(FIRST)) == ids(images[1:3])
    # The file of the last has changed since: it is not of these bytes any more.
    groups.set_equal([images[5].id], FIRST)
    assert ids(groups.copies_of(FIRST)) == ids(images[1:3])


def test_a_copy_may_turn_out_to_be_none(collection, images):
    collection.copy_groups.set_copy(NEAR_ONE, None, None)
    assert nearest(collection, distinct=True).copies == [1, 0, 1, 0]


def test_bursts_merge(collection, images):
    groups = collection.copy_groups
    groups.set_burst([FIRST], FIRST)
    groups.set_burst([OTHER, ALONE], OTHER)
    assert {group.count for group in groups.page("burst", 10).groups} == {2, 3}
    groups.merge_bursts([OTHER], FIRST)
    [burst] = groups.page("burst", 10).groups
    assert (burst.kind, burst.count, len(burst.images)) == ("burst", 5, 5)


def test_what_was_compared_is_known_by_scans(collection, images):
    collection.copy_groups.set_compared([image.id for image in images[:2]], 3)
    compared = {state.id: state.compared for state in collection.scan_states()}
    assert [compared[image.id] for image in images] == [3, 3, None, None, None, None]


def test_a_worker_writes_the_groups_of_what_it_has_stored(collection, make_image):
    scene, thumbnails = draw_scene(1), FakeThumbnailStore()
    pictures = {
        FIRST: scene,
        NEAR_ONE: scene.resize((160, 120)),
        OTHER: draw_scene(2),
        ALONE: scene.rotate(180),
    }
    for sha256, picture in pictures.items():
        thumbnails.put(sha256, thumbnail(picture))
    stored = [
        make_image(f"{place}.jpg", sha256=sha256, indexed_at=NOON + timedelta(seconds=place))
        for place, sha256 in enumerate([FIRST, FIRST, NEAR_ONE, OTHER, ALONE])
    ]
    vectors = np.random.default_rng(1).standard_normal((len(stored), DIMENSIONS)).astype(np.float32)
    vectors[1] = vectors[0]
    for some in (slice(0, 3), slice(3, 5)):
        collection.upsert(stored[some], vectors[some])
        group(collection, Sketches(thumbnails), stored[some])
    [found] = collection.copy_groups.page(None, 10).groups
    assert [image.key for image in found.images] == ["0.jpg", "1.jpg", "2.jpg", "4.jpg"]
    assert [image.copy_kind for image in found.images] == [None, EQUAL, NEAR, NEAR]
    assert [image.compared for image in collection.get([image.id for image in stored])] == [1] * 5
