"""The groups of pictures that are there more than once, over HTTP."""

from __future__ import annotations

from dataclasses import replace

import pytest


@pytest.fixture
def world(make_world):
    return make_world()


def change(world, image, **fields):
    world.collection.images[image.id] = replace(world.collection.images[image.id], **fields)


def add_group(world, name, kind, sizes):
    """Add pictures of some widths, the first of which the others are copies of."""
    images = [world.add(f"{name}/{width}.jpg", f"{name} {width}".encode(), width=width, height=10) for width in sizes]
    for image in images[1:]:
        change(world, image, copy_of=images[0].sha256, copy_kind=kind)
    return images


def groups(world, query=""):
    answer = world.client.get(f"/api/v1/duplicates{query}")
    assert answer.status_code == 200, answer.json
    return answer.json["groups"]


def test_there_are_none_before_anything_is_indexed(make_world):
    world = make_world()
    world.catalogue.collection = None
    assert world.client.get("/api/v1/duplicates").json == {"groups": [], "cursor": None}


def test_groups_come_with_their_pictures_and_the_one_to_keep(world):
    world.add("alone.jpg", b"alone")
    images = add_group(world, "boat", "near", [10, 30, 20])
    [group] = groups(world)
    assert (group["kind"], group["count"]) == ("near", 3)
    assert {one["id"] for one in group["images"]} == {image.id for image in images}
    assert group["best_id"] == images[1].id
    sizes = [image.bytes for image in images]
    assert (group["bytes"], group["saved_bytes"]) == (sum(sizes), sum(sizes) - sizes[1])


def test_kinds_are_told_apart(world):
    add_group(world, "boat", "near", [10, 20])
    add_group(world, "tree", "equal", [10, 20])
    burst = [world.add(f"burst/{number}.jpg", b"shot %d" % number) for number in range(3)]
    for image in burst:
        change(world, image, burst=burst[0].sha256)
    assert sorted(group["kind"] for group in groups(world)) == ["equal", "near"]
    assert [group["kind"] for group in groups(world, "?kind=near")] == ["near"]
    assert [group["kind"] for group in groups(world, "?kind=equal")] == ["equal"]
    [shots] = groups(world, "?kind=burst")
    assert (shots["kind"], shots["count"]) == ("burst", 3)


def test_pages_follow_each_other(world):
    for number in range(5):
        add_group(world, f"group{number}", "near", [10, 20])
    shown, cursor = [], ""
    while cursor is not None:
        page = world.client.get(f"/api/v1/duplicates?limit=2{cursor and f'&cursor={cursor}'}").json
        assert len(page["groups"]) <= 2
        shown += [group["best_id"] for group in page["groups"]]
        cursor = page["cursor"]
    assert len(set(shown)) == len(shown) == 5


@pytest.mark.parametrize("query", ["?kind=alike", "?limit=51", "?limit=0", "?cursor=made-up"])
def test_what_makes_no_sense_is_refused(world, query):
    answer = world.client.get(f"/api/v1/duplicates{query}")
    assert answer.status_code == 422
    assert answer.json["type"].endswith("invalid-request")


def test_a_search_shows_near_copies_once_and_lists_them(world):
    images = add_group(world, "boat", "near", [10, 30, 20])
    found = world.client.get("/api/v1/search?q=boat").json["results"]
    [shown] = [one for one in found if one["id"] in {image.id for image in images}]
    assert shown["copies"] == 2
    listed = world.client.get(f"/api/v1/images?copies_of={shown['id']}").json["images"]
    assert {one["id"] for one in listed} == {image.id for image in images}
    assert len(world.client.get("/api/v1/search?q=boat&distinct=false").json["results"]) == 3
    assert len(world.client.get("/api/v1/images?distinct=true").json["images"]) == 1
