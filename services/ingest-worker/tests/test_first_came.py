"""When a picture first came is kept, whatever becomes of its file; what older records lack is derived."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fakes import FakeCollection
from sightline_ingest_worker.worker.indexing import index_keys

LONG_AGO = datetime(2021, 1, 1, tzinfo=UTC)


def came_long_ago(collection, key: str, **fields: object) -> None:
    """Have a record say that its picture came long ago."""
    image = collection.by_key()[key]
    collection.images[image.id] = replace(image, **(fields or {"added_at": LONG_AGO}))


@pytest.fixture
def settled(scene, draw):
    """A watcher over a folder with one picture, which is indexed."""
    scene.write("a.png", draw(1))
    scene.scan()
    scene.work()
    return scene


def test_a_picture_comes_when_it_is_first_seen(scene, draw):
    before = scene.bench.clock.now()
    scene.write("a.png", draw(1))
    scene.scan()
    seen = scene.bench.collection.by_key()["a.png"].added_at
    assert before <= seen <= scene.bench.clock.now()
    scene.work()
    assert scene.bench.collection.by_key()["a.png"].added_at == seen


@pytest.mark.parametrize("noted", [{"added_at": LONG_AGO}, {"added_at": None, "indexed_at": LONG_AGO}])
def test_a_file_that_changes_came_when_it_first_came(settled, draw, noted):
    came_long_ago(settled.bench.collection, "a.png", **noted)
    settled.write("a.png", draw(2))
    settled.tell("a.png")
    settled.work()
    image = settled.bench.collection.by_key()["a.png"]
    assert image.added_at == LONG_AGO
    assert image.indexed_at > LONG_AGO


def test_a_file_that_is_read_again_came_when_it_first_came(bench, draw):
    bench.bucket.put("a.png", draw(1))
    index_keys(bench.context, ["a.png"])
    came_long_ago(bench.collection, "a.png", added_at=LONG_AGO, reader=None)
    assert index_keys(bench.context, ["a.png"]) == {"copied": 1}
    assert bench.collection.by_key()["a.png"].added_at == LONG_AGO


def test_a_file_that_moves_came_when_it_first_came(settled):
    came_long_ago(settled.bench.collection, "a.png")
    (settled.root / "a.png").rename(settled.root / "b.png")
    settled.tell("a.png", "b.png")
    settled.work()
    for _ in range(3):
        settled.watcher.step()
    assert settled.states == {"b.png": "indexed"}
    assert settled.bench.collection.by_key()["b.png"].added_at == LONG_AGO


def test_a_new_models_collection_knows_when_pictures_came(settled):
    came_long_ago(settled.bench.collection, "a.png")
    filled = settled.bench.collection = FakeCollection(name="images-other")
    settled.bench.target.target = replace(settled.bench.target.target, collection=filled)
    settled.watcher.step()
    settled.work()
    assert filled.by_key()["a.png"].added_at == LONG_AGO


def test_the_watcher_derives_what_older_records_lack(settled):
    settled.bench.collection.derivation.left = 3
    for _ in range(3):
        settled.watcher.step()
    assert settled.bench.collection.derivation.left == 0
