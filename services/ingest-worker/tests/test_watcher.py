"""The watcher over a real folder and a real Redis; catalogue and queue are fakes."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes import FakeCollection
from sightline_bucket import BucketUnavailable
from sightline_catalogue import CatalogueDiskFull, CatalogueUnavailable
from sightline_ingest_worker.watcher import metrics
from sightline_pictures import READER_VERSION
from sightline_service.full_disks import full_disks
from structlog.testing import capture_logs
from waiting import wait_for


def test_the_first_scan_is_a_backfill_and_later_finds_are_new(scene, draw):
    scene.write("a.png", draw(1))
    scene.write("notes.txt", b"")
    scene.watcher.step()
    assert scene.tasks.sent == [("a.png", "backfill")]
    assert scene.states == {"a.png": "pending"}
    scene.write("b.png", draw(2))
    scene.scan()
    assert scene.tasks.sent[1:] == [("b.png", "new")]
    fields = scene.client.hgetall("sightline:watcher")
    assert (fields["ignored"], fields["scanning"]) == ("1", "0")
    assert scene.gauge("listed") == 3
    assert datetime.fromisoformat(fields["last_scan_at"]).tzinfo is not None


def test_metrics_say_how_many_objects_are_in_which_state(scene, draw):
    scene.write("a.png", draw(1))
    scene.write("broken.png", b"no picture")
    scene.write("notes.txt", b"")
    scene.watcher.step()
    scene.scan()
    states = ("pending", "indexed", "failed", "ignored")
    assert [scene.gauge("images", state=state) for state in states] == [2, 0, 0, 1]
    assert [scene.gauge("queue_tasks", queue=queue) for queue in ("new", "backfill", "in_progress")] == [0, 1, 0]
    scene.work()
    scene.scan()
    assert [scene.gauge("images", state=state) for state in states] == [0, 1, 1, 1]
    assert scene.gauge("last_scan_timestamp_seconds") == pytest.approx(time.time(), abs=60)
    assert scene.gauge("scan_pause_seconds") == scene.settings.scan_seconds


def test_a_watcher_without_the_lock_exports_no_gauges(scene, draw):
    scene.write("a.png", draw(1))
    scene.watcher.step()
    metrics.clear()
    assert scene.gauge("images", state="pending") is None
    assert scene.gauge("queue_tasks", queue="new") is None


def test_events_are_handled_first(scene, draw):
    scene.watcher.step()
    scene.write("a.png", draw(1))
    scene.tell("a.png")
    assert scene.tasks.sent == [("a.png", "new")]
    scene.tell("a.png")
    assert scene.tasks.sent == [("a.png", "new")]
    scene.work()
    scene.tell("a.png")
    assert scene.tasks.sent == []


def test_a_file_that_is_being_written_is_queued_once(scene, draw):
    scene.quiet_seconds = 1.0
    scene.start()
    scene.watcher.step()
    for end in range(1, 6):
        (scene.root / "slow.png").write_bytes(draw(1)[: 20 * end])
        scene.tell("slow.png")
    (scene.root / "slow.png").write_bytes(draw(1))
    scene.tell("slow.png")
    assert scene.states == {"slow.png": "pending"}
    assert scene.tasks.sent == []
    wait_for(lambda: scene.watcher.step() or scene.tasks.sent)
    assert scene.tasks.sent == [("slow.png", "new")]


def test_a_file_written_again_keeps_its_point_until_it_is_quiet(scene, draw):
    scene.quiet_seconds = 0.5
    scene.start()
    scene.write("a.png", draw(1))
    scene.watcher.step()
    scene.work()
    (scene.root / "a.png").write_bytes(draw(2))
    scene.tell("a.png")
    assert scene.states == {"a.png": "indexed"}
    wait_for(lambda: scene.watcher.step() or scene.tasks.sent)
    assert scene.states == {"a.png": "pending"}


def test_a_folder_moved_in_is_listed(scene, draw):
    scene.watcher.step()
    scene.write("in/deep/a.png", draw(1))
    scene.write("in/b.png", draw(2))
    scene.tell("in")
    assert sorted(scene.tasks.keys) == ["in/b.png", "in/deep/a.png"]


def test_a_large_folder_moved_in_is_a_backfill(scene):
    scene.watcher.step()
    for number in range(513):
        scene.write(f"in/{number}.png", b"1")
    scene.tell("in")
    assert {queue for _, queue in scene.tasks.sent} == {"backfill"}


def test_a_deleted_object_leaves_the_collection_and_later_loses_its_record_and_thumbnail(scene, draw):
    scene.write("a.png", draw(1))
    scene.write("in/b.png", draw(2))
    scene.write("in/deep/c.png", draw(3))
    scene.watcher.step()
    scene.work()
    assert len(scene.bench.thumbnails.kept) == 3
    (scene.root / "a.png").unlink()
    scene.tell("a.png")
    assert set(scene.states) == {"in/b.png", "in/deep/c.png"}
    shutil.rmtree(scene.root / "in")
    scene.tell("in")
    assert scene.states == {}
    assert len(scene.bench.collection.images) == len(scene.bench.thumbnails.kept) == 3
    scene.keep = timedelta(seconds=-1)
    scene.start()
    scene.watcher.step()
    assert scene.bench.collection.images == {}
    assert scene.bench.thumbnails.kept == {}


def test_a_scan_finds_deleted_objects(scene, draw):
    scene.write("a.png", draw(1))
    scene.write("b.png", draw(2))
    scene.watcher.step()
    scene.work()
    (scene.root / "a.png").unlink()
    scene.scan()
    scene.watcher.step()
    assert set(scene.states) == {"b.png"}


def test_a_moved_file_is_not_encoded_again(scene, draw):
    for number in range(3):
        scene.write(f"old/{number}.png", draw(number))
    scene.watcher.step()
    scene.work()
    assert sum(scene.bench.encoder.batches) == 3
    (scene.root / "old").rename(scene.root / "renamed")
    scene.tell("old", "renamed")
    scene.work()
    scene.watcher._check_due_at = 0
    scene.watcher.step()
    scene.watcher.step()
    assert scene.states == {f"renamed/{number}.png": "indexed" for number in range(3)}
    assert sum(scene.bench.encoder.batches) == 3
    assert len(scene.bench.thumbnails.kept) == 3


def test_an_unavailable_bucket_deletes_nothing(scene, draw):
    scene.write("a.png", draw(1))
    scene.watcher.step()
    scene.work()
    scene.root.rename(scene.root.with_name("unmounted"))
    with pytest.raises(BucketUnavailable):
        scene.scan()
    with pytest.raises(BucketUnavailable):
        scene.tell("a.png")
    assert scene.states == {"a.png": "indexed"}


def test_an_empty_folder_deletes_nothing(scene, draw):
    """What a mount point looks like without its disk."""
    scene.write("a.png", draw(1))
    scene.watcher.step()
    scene.work()
    (scene.root / "a.png").unlink()
    scene.start()
    scene.watcher.step()
    scene.watcher.step()
    assert scene.states == {"a.png": "indexed"}
    scene.write("b.png", draw(2))
    scene.scan()
    scene.work()
    scene.watcher._check_due_at = 0
    scene.watcher.step()
    scene.watcher.step()
    assert scene.states == {"b.png": "indexed"}


def test_a_file_modified_this_moment_is_marked_and_queued_when_quiet(scene, draw):
    scene.quiet_seconds = 0.5
    scene.start()
    (scene.root / "a.png").write_bytes(draw(1))
    scene.watcher.step()
    assert scene.states == {"a.png": "pending"}
    assert scene.tasks.sent == []

    def queued():
        scene.watcher.step()
        return scene.tasks.sent

    wait_for(queued)
    assert scene.tasks.sent == [("a.png", "new")]


def test_bad_names_and_links_fail_with_a_reason(scene, draw, tmp_path):
    (tmp_path / "outside.png").write_bytes(draw(1))
    (scene.root / "link.png").symlink_to(tmp_path / "outside.png")
    (scene.root / "loop").symlink_to(scene.root)
    scene.write("line\nbreak.png", draw(2))
    with open(os.fsencode(scene.root) + b"/\xff.png", "wb"):
        pass
    scene.write("good.png", draw(3))
    scene.watcher.step()
    assert scene.tasks.keys == ["good.png"]
    failed = {image.key: image.reason for image in scene.bench.collection.images.values() if image.state == "failed"}
    assert len(failed) == 4
    assert all(failed.values())
    scene.work()
    scene.tell("line\nbreak.png", "link.png")
    scene.scan()
    assert scene.tasks.sent == []
    assert len(scene.states) == 5


def test_a_link_that_becomes_a_file_is_indexed(scene, draw, tmp_path):
    (tmp_path / "outside.png").write_bytes(draw(1))
    (scene.root / "a.png").symlink_to(tmp_path / "outside.png")
    scene.watcher.step()
    assert scene.states == {"a.png": "failed"}
    (scene.root / "a.png").unlink()
    scene.write("a.png", draw(1))
    scene.tell("a.png")
    assert scene.tasks.keys == ["a.png"]


def test_hints(scene, draw):
    scene.watcher.step()
    scene.write("a.png", draw(1))
    scene.client.lpush("sightline:rescan", json.dumps({"keys": ["a.png", "../etc/passwd", "..", "x//y/z", ""]}))
    scene.watcher.step()
    assert scene.tasks.sent == [("a.png", "new")]
    scene.write("b.png", draw(2))
    scene.client.lpush("sightline:rescan", "{}", "no json", "[1]")
    scene.watcher.step()
    scene.watcher.step()
    assert scene.tasks.keys == ["a.png", "b.png"]


def test_a_hint_may_ask_for_what_failed_to_be_tried_again(scene, draw):
    for number, key in enumerate(("a.png", "b.png")):
        scene.write(key, draw(number))
    scene.watcher.step()
    images = scene.bench.collection.images
    for image in images.values():
        image.reader = READER_VERSION
    scene.bench.collection.set_state(list(images), "failed", reason="too dark")
    scene.tasks.sent = []
    scene.client.lpush("sightline:rescan", json.dumps({"keys": ["a.png", "unknown.png"]}))
    scene.watcher.step()
    assert scene.tasks.keys == []
    scene.client.lpush("sightline:rescan", json.dumps({"keys": ["a.png", "unknown.png"], "retry": True}))
    scene.watcher.step()
    assert scene.tasks.keys == ["a.png"]
    assert scene.states == {"a.png": "pending", "b.png": "failed"}


def test_keys_that_the_queue_lost_are_requeued(scene, draw):
    scene.write("a.png", draw(1))
    scene.watcher.step()
    scene.tasks.sent = []
    scene.start()
    scene.watcher.step()
    scene.watcher.step()
    assert scene.tasks.keys == ["a.png"]


def test_a_pending_image_is_not_queued_before_its_next_try(scene, draw):
    scene.write("a.png", draw(1))
    scene.watcher.step()
    [image] = scene.bench.collection.images.values()
    scene.tasks.sent = []
    scene.bench.collection.set_state([image.id], "pending", next_try_at=datetime.max.replace(tzinfo=UTC))
    scene.watcher._check_due_at = 0
    scene.watcher.step()
    assert scene.tasks.keys == []
    scene.bench.collection.set_state([image.id], "pending", next_try_at=datetime(2026, 1, 1, tzinfo=UTC))
    scene.watcher._check_due_at = 0
    scene.watcher.step()
    assert scene.tasks.keys == ["a.png"]
    assert next(iter(scene.bench.collection.images.values())).next_try_at is None


def test_a_new_models_collection_is_filled_and_then_activated(scene, draw):
    scene.write("a.png", draw(1))
    scene.watcher.step()
    scene.work()
    old = scene.bench.collection
    assert scene.catalogue.collection is old
    new = scene.bench.collection = FakeCollection(name="images-other")
    scene.bench.target.target = replace(scene.bench.target.target, collection=new)
    scene.watcher.step()
    assert scene.tasks.keys == ["a.png"]
    scene.watcher._check_due_at = 0
    scene.watcher.step()
    assert (scene.watcher.status.next_model, scene.watcher.status.next_pending) == ("embedded", 1)
    assert scene.catalogue.collection is old
    scene.work()
    for _ in range(3):
        scene.watcher._check_due_at = 0
        scene.watcher.step()
    assert scene.catalogue.collection is new
    assert scene.watcher.status.next_model is None


def test_a_deleted_object_leaves_the_active_collection_too(scene, draw):
    scene.write("a.png", draw(1))
    scene.write("b.png", draw(2))
    scene.watcher.step()
    scene.work()
    old = scene.bench.collection
    new = scene.bench.collection = FakeCollection(name="images-other")
    scene.bench.target.target = replace(scene.bench.target.target, collection=new)
    scene.watcher.step()
    (scene.root / "a.png").unlink()
    scene.tell("a.png")
    assert set(old.by_key()) == {"b.png"}
    assert set(new.by_key()) == {"b.png"}


def test_it_goes_on_after_redis_and_the_catalogue_failed(make_scene, module_redis, draw):
    scene = make_scene(module_redis.client)
    stop = threading.Event()
    scene.watcher._stopping = stop.is_set
    thread = threading.Thread(target=scene.watcher.run)
    thread.start()
    try:
        wait_for(lambda: module_redis.client.hget("sightline:watcher", "last_scan_at"))
        module_redis.kill()
        wait_for(lambda: scene.gauge("waiting", service="redis") == 1)
        scene.write("a.png", draw(1))
        module_redis.start()
        wait_for(lambda: scene.tasks.keys == ["a.png"])
        wait_for(lambda: module_redis.client.hget("sightline:watcher", "last_scan_at"))
        scene.bench.collection.errors = [CatalogueUnavailable("qdrant does not answer")] * 3
        scene.write("b.png", draw(2))
        module_redis.client.lpush("sightline:rescan", "{}")
        wait_for(lambda: scene.tasks.keys == ["a.png", "b.png"])
        wait_for(lambda: scene.gauge("waiting", service="redis") == scene.gauge("waiting", service="qdrant") == 0)
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def test_an_unexpected_error_is_told_until_a_scan_goes_through_and_the_loop_goes_on(scene, draw, monkeypatch):
    scene.write("a.png", draw(1))
    really, failures = scene.bucket.list, [KeyError("a field"), *[None] * 20]

    def listing(*given, **named):
        if (error := failures.pop(0)) is not None:
            raise error
        return really(*given, **named)

    told = []

    def is_stopping():
        told.append(scene.client.hget("sightline:watcher", "problem"))
        return bool(scene.states) or len(told) > 500

    monkeypatch.setattr(scene.bucket, "list", listing)
    scene.watcher._stopping = is_stopping
    scene.watcher.run()
    assert scene.states == {"a.png": "pending"}
    assert any("KeyError: 'a field'" in problem for problem in told if problem)
    scene.watcher._stopping = lambda: False
    scene.scan()
    assert scene.client.hget("sightline:watcher", "problem") == ""


def test_it_waits_for_room_on_a_disk_says_which_is_full_and_goes_on(scene, draw):
    scene.write("a.png", draw(1))
    words = "the disk of the database is full: 3 MB are free"
    scene.bench.collection.errors = [CatalogueDiskFull(words)] * 2
    told = []

    def is_stopping():
        told.append(full_disks(scene.client))
        return bool(scene.states) or len(told) > 500

    scene.watcher._stopping = is_stopping
    with capture_logs() as logs:
        scene.watcher.run()
    assert scene.states == {"a.png": "pending"}
    assert told[0] == {}
    assert told[-1] == {"database": words}
    assert [line["service"] for line in logs if line["event"] == "waiting for a service"] == ["qdrant"]
    assert scene.watcher.status.bucket_problem is None
