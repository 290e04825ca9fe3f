"""Copies and bursts, as pictures come, change and go."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drawn_scenes import draw_scene, file_of
from PIL import Image
from sightline_catalogue import EQUAL, NEAR
from sightline_ingest_worker.removal import remove_records
from sightline_ingest_worker.worker.grouping import CANDIDATES, group
from sightline_ingest_worker.worker.indexing import index_keys
from sightline_ingest_worker.worker.sketches import Sketches
from sightline_pictures.near_copies import COMPARISON_VERSION

SCENE = draw_scene(1)
SMALL = file_of(SCENE.resize((160, 120)))
TURNED = file_of(SCENE.transpose(Image.Transpose.ROTATE_90), quality=60)


def index_and_compare(bench, *keys):
    """Index new pictures, then compare them, as the worker does by a second task behind all others."""
    index_keys(bench.context, list(keys))
    return index_keys(bench.context, list(keys))


@pytest.fixture
def put(bench):
    def put(**files):
        for name, data in files.items():
            bench.bucket.put(f"{name}.jpg", data)
            index_and_compare(bench, f"{name}.jpg")
        return bench.collection.by_key()

    return put


@pytest.fixture
def groups(bench):
    """Returns the names of the pictures of each group."""

    def groups(kind=None):
        page = bench.collection.copy_groups.page(kind, 100)
        return sorted(sorted(image.key.removesuffix(".jpg") for image in one.images) for one in page.groups)

    return groups


def test_copies_are_of_the_one_that_was_there_first(put, groups):
    images = put(first=file_of(SCENE), small=SMALL, turned=TURNED, other=file_of(draw_scene(2)))
    first = images["first.jpg"]
    assert (first.copy_of, first.copy_kind) == (None, None)
    for name in ("small.jpg", "turned.jpg"):
        assert (images[name].copy_of, images[name].copy_kind) == (first.sha256, NEAR)
    assert images["other.jpg"].copy_of is None
    assert groups() == [["first", "small", "turned"]]
    assert {image.compared for image in images.values()} == {COMPARISON_VERSION}


def test_equal_bytes_and_equal_pixels_are_equal(put, groups):
    data = file_of(SCENE, "PNG")
    images = put(first=data, again=data, third=data, packed=file_of(SCENE, "WEBP", lossless=True))
    assert {one.copy_kind for key, one in images.items() if key != "first.jpg"} == {EQUAL}
    assert groups() == groups(EQUAL) == [["again", "first", "packed", "third"]]


def test_pictures_of_one_task_are_grouped(bench, groups):
    files = {"first": file_of(SCENE), "again": file_of(SCENE), "small": SMALL, "other": file_of(draw_scene(2))}
    for name, data in files.items():
        bench.bucket.put(f"{name}.jpg", data)
    index_and_compare(bench, *(f"{name}.jpg" for name in files))
    assert groups() == [["again", "first", "small"]]


def test_copies_of_a_copy_have_its_group(put, groups):
    put(first=file_of(SCENE), small=SMALL, again=SMALL)
    assert groups() == [["again", "first", "small"]]


def test_a_chain_of_crops_is_no_group(put, groups):
    width, height = SCENE.size
    crops = {f"crop{step}": SCENE.crop((step * width // 12, 0, width, height)) for step in range(6)}
    images = put(**{name: file_of(crop) for name, crop in crops.items()})
    assert images["crop1.jpg"].copy_of == images["crop0.jpg"].sha256
    assert images["crop5.jpg"].copy_of != images["crop0.jpg"].sha256


def test_a_file_that_changed_leaves_its_group(bench, put, groups):
    put(first=file_of(SCENE), small=SMALL)
    images = put(small=file_of(draw_scene(5)))
    assert images["small.jpg"].copy_of is None
    assert groups() == []


def test_of_a_group_whose_first_is_gone_the_others_stay_together(bench, put, groups):
    first = put(first=file_of(SCENE), small=SMALL, turned=TURNED)["first.jpg"]
    remove_records(bench.collection, bench.thumbnails, [first.id])
    bench.context.sketches = Sketches(bench.thumbnails)
    assert groups() == [["small", "turned"]]
    put(crop=file_of(SCENE.crop((5, 5, 310, 235))))
    assert groups() == [["crop", "small", "turned"]]
    put(first=file_of(SCENE))
    assert groups() == [["crop", "first", "small", "turned"]]


def test_a_picture_that_moves_keeps_its_group(bench, put, groups):
    put(first=file_of(SCENE), small=SMALL)
    moved = put(elsewhere=SMALL)
    remove_records(bench.collection, bench.thumbnails, [moved["small.jpg"].id])
    assert groups() == [["elsewhere", "first"]]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_workers_that_store_copies_at_a_time_agree(bench, put, groups, order):
    images = list(put(first=file_of(SCENE), small=SMALL, turned=TURNED).values())
    # As if each had been stored before any was compared.
    for image in images:
        changes = {"copy_of": None, "copy_kind": None, "compared": None}
        bench.collection.images[image.id] = replace(image, **changes)
    stored = list(bench.collection.images.values())
    for place in order:
        group(bench.collection, Sketches(bench.thumbnails), [stored[place]])
    assert groups() == [["first", "small", "turned"]]
    assert bench.collection.by_key()["first.jpg"].copy_of is None


def test_what_was_indexed_before_there_were_groups_is_compared_and_not_encoded_again(bench, put, groups):
    images = put(first=file_of(SCENE), small=SMALL)
    for image in images.values():
        bench.collection.images[image.id] = replace(image, copy_of=None, copy_kind=None, compared=None)
    batches = list(bench.encoder.batches)
    assert index_keys(bench.context, ["first.jpg", "small.jpg"]) == {"unchanged": 2}
    assert groups() == [["first", "small"]]
    assert bench.encoder.batches == batches
    assert bench.bucket.reads == {"first.jpg": 1, "small.jpg": 1}


def test_what_is_read_again_stays_in_its_group(bench, put, groups):
    images = put(first=file_of(SCENE), small=SMALL)
    for image in images.values():
        bench.collection.images[image.id] = replace(image, reader=None)
    index_keys(bench.context, ["first.jpg", "small.jpg"])
    assert groups() == [["first", "small"]]


def test_shots_of_a_burst_are_a_burst_and_no_copies(put, groups):
    scenes = {number: SCENE.crop((2 * number, number, 300 + 2 * number, 220 + number)) for number in range(4)}
    shots = {
        f"shot{number}": file_of(scene, camera="Canon EOS R6", taken_at=f"2024:05:31 18:00:0{number}")
        for number, scene in scenes.items()
    }
    later = file_of(scenes[0].resize((299, 219)), camera="Canon EOS R6", taken_at="2024:05:31 18:07:00")
    images = put(**shots, later=later, other_camera=file_of(scenes[1], quality=50))
    assert groups("burst") == [["shot0", "shot1", "shot2", "shot3"]]
    assert images["later.jpg"].burst is None
    assert [name for name in groups() for name in name] == ["other_camera", "shot1"]


def test_two_shots_of_one_second_are_no_copies_but_an_export_is(put, groups):
    shot = {"camera": "Canon EOS R6", "taken_at": "2024:05:31 18:00:00"}
    put(
        shot=file_of(SCENE.crop((0, 0, 300, 220)), **shot),
        next=file_of(SCENE.crop((8, 6, 308, 226)), **shot),
        export=file_of(SCENE.crop((0, 0, 300, 220)).resize((150, 110)), **shot),
    )
    assert groups() == [["export", "shot"]]
    assert groups("burst") == [["next", "shot"]]


def test_so_many_neighbours_are_compared_and_no_more(put, bench):
    put(**{f"scene{number}": file_of(draw_scene(number)) for number in range(CANDIDATES + 4)})
    assert all(image.compared == COMPARISON_VERSION for image in bench.collection.images.values())


def test_without_thumbnails_nothing_is_compared(bench, put, groups):
    put(first=file_of(SCENE))
    bench.thumbnails.kept.clear()
    bench.context.sketches = Sketches(bench.thumbnails)
    images = put(small=SMALL)
    assert images["small.jpg"].compared == COMPARISON_VERSION
    assert groups() == []
