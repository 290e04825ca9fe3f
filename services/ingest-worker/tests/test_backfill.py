"""The backfill over fakes: what is queued, how much at a time, and when again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes import FakeCollection
from sightline_catalogue import CatalogueUnavailable, Image, image_id
from sightline_ingest_worker.watcher.backfill import Backfill
from sightline_ingest_worker.watcher.requeue_policy import RequeuePolicy

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def small_queue(monkeypatch):
    monkeypatch.setattr("sightline_ingest_worker.watcher.backfill.MOST_TASKS", 2)


@pytest.fixture
def collection():
    """Of a hundred pending images, of which the last is the newest."""
    made = FakeCollection()
    images = []
    for number in range(100):
        key = f"{number:02}.png"
        moment = LONG_AGO + timedelta(days=number)
        images.append(Image(id=image_id("main", key.encode()), bucket="main", key=key, modified_at=moment))
    made.upsert(images, None)
    return made


def fill(backfill, collection, queue):
    lengths = queue.lengths()
    return backfill.fill(collection, collection.counts().pending, lengths)


def work(collection, queue):
    """Have what is queued fail; return the keys."""
    keys, queue.sent = queue.keys, []
    collection.set_state([image_id("main", key.encode()) for key in keys], "failed")
    return keys


def test_what_is_marked_is_queued_the_newest_first_and_once(collection, make_queue):
    queue = make_queue()
    backfill = Backfill(queue)
    backfill.note_marked()
    done = []
    while fill(backfill, collection, queue) or queue.sent:
        assert queue.lengths().backfill <= 2
        assert fill(backfill, collection, queue) == 0
        done += work(collection, queue)
    assert done == [f"{number:02}.png" for number in reversed(range(100))]


def test_what_is_marked_meanwhile_is_queued_in_another_round(collection, make_queue):
    queue = make_queue()
    backfill = Backfill(queue)
    backfill.note_marked()
    fill(backfill, collection, queue)
    newer = Image(id=image_id("main", b"new.png"), bucket="main", key="new.png", modified_at=datetime.now(UTC))
    collection.upsert([newer], None)
    backfill.note_marked()
    done = []
    while queue.sent or fill(backfill, collection, queue):
        done += work(collection, queue)
    assert len(done) == 101
    assert done[-1] == "new.png"


def test_what_waits_for_its_next_try_is_left_alone_until_then(collection, make_queue):
    queue = make_queue()
    backfill = Backfill(queue)
    ids = list(collection.images)
    collection.set_state(ids, "pending", next_try_at=datetime.now(UTC) + timedelta(hours=1))
    collection.set_state(ids[:1], "pending", next_try_at=datetime.now(UTC) - timedelta(hours=1))
    backfill.note_marked()
    assert fill(backfill, collection, queue) == 1
    assert queue.sent == [("00.png", "backfill")]
    assert collection.images[ids[0]].next_try_at is None


def test_an_error_in_a_round_loses_nothing(collection, make_queue):
    queue = make_queue()
    backfill = Backfill(queue)
    backfill.note_marked()
    collection.errors = [None, CatalogueUnavailable("away")]
    with pytest.raises(CatalogueUnavailable):
        fill(backfill, collection, queue)
    assert queue.sent == []
    assert fill(backfill, collection, queue) == 64


def test_tasks_that_the_queue_lost_are_queued_again(collection, make_queue):
    queue = make_queue()
    backfill = Backfill(queue, RequeuePolicy())
    assert fill(backfill, collection, queue) == 64
    queue.sent = []
    assert fill(backfill, collection, queue) == 36
    queue.sent = []
    assert fill(backfill, collection, queue) == 64


def test_another_collection_begins_anew(collection, make_queue):
    queue = make_queue()
    backfill = Backfill(queue)
    backfill.note_marked()
    fill(backfill, collection, queue)
    queue.sent = []
    other = FakeCollection(name="images-other")
    other.images = {one: replace(image) for one, image in collection.images.items()}
    backfill.note_marked()
    assert fill(backfill, other, queue) == 64
    assert queue.keys[0] == "99.png"
