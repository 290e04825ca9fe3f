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
from prometheus_client import REGISTRY
from sightline_bucket import BucketUnavailable
from sightline_catalogue import CatalogueDiskFull, CatalogueUnavailable
from sightline_ingest_worker.watcher import metrics
from sightline_ingest_worker.watcher.rescan import request_rescan
from sightline_pictures import READER_VERSION
from sightline_service.full_disks import full_disks
from sightline_service.queues import QueueSettings
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
    assert gauge("listed") == 3
    assert datetime.fromisoformat(fields["last_scan_at"]).tzinfo is not None


def gauge(name, **labels):
    return REGISTRY.get_sample_value(f"sightline_watcher_{name}", labels)


def test_metrics_say_how_many_objects_are_in_which_state(scene, draw):
    scene.write("a.png", draw(1))
    scene.write("broken.png", b"no picture")
    scene.write("notes.txt", b"")
    scene.watcher.step()
    scene.scan()
    states = ("pending", "indexed", "failed", "ignored")
    assert [gauge("images", state=state) for state in states] == [2, 0, 0, 1]
    assert [gauge("queue_tasks", queue=queue) for queue in ("new", "backfill", "in_progress")] == [0, 1, 0]
    scene.work()
    scene.scan()
    assert [gauge("images", state=state) for state in states] == [0, 1, 1, 1]
    assert gauge("last_scan_timestamp_seconds") == pytest.approx(time.time(), abs=60)
    assert gauge("scan_pause_seconds") == scene.settings.scan_seconds


def test_a_watcher_without_the_lock_exports_no_gauges(scene, draw):
    scene.write("a.png", draw(1))
    scene.watcher.step()
    metrics.clear()
    assert gauge("images", state="pending") is None
    assert gauge("queue_tasks", queue="new") is None


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


def test_the_listing_goes_on_whatever_is_queued_and_what_is_new_goes_first(scene, draw, monkeypatch):
    monkeypatch.setattr("sightline_ingest_worker.watcher.backfill.MOST_TASKS", 4)
    for number in range(600):
        scene.write(f"{number}.png", b"1")
    queued: list[str] = []
    wait_for(lambda: scene.watcher.step() or not scene.watcher.status.scanning)
    assert list(scene.states.values()) == ["pending"] * 600
    assert scene.tasks.lengths().backfill == 4
    scene.write("new.png", draw(1))
    scene.scan()
    assert [key for key, queue in scene.tasks.sent if queue == "new"] == ["new.png"]
    while scene.tasks.sent:
        queued += scene.tasks.keys
        scene.work()
        scene.watcher._check_due_at = 0
        scene.watcher.step()
    assert sorted(queued) == sorted([*(f"{number}.png" for number in range(600)), "new.png"])
    assert "pending" not in scene.states.values()


def test_a_rescan_asked_for_during_a_scan_follows_it(scene, draw, monkeypatch):
    monkeypatch.setattr("sightline_ingest_worker.watcher.loop.SLICE_SECONDS", 0)
    for number in range(3):
        scene.write(f"{number}.png", draw(number))
    scene.watcher.step()
    assert scene.watcher.status.scanning
    wait_for(lambda: scene.watcher.step() or not scene.watcher.status.scanning)
    monkeypatch.setattr("sightline_ingest_worker.watcher.loop.SLICE_SECONDS", 1)
    scene.write("late.png", draw(9))
    scene.watcher._schedule.begin()
    scene.watcher.request_scan()
    scene.watcher._schedule.end(0.0)
    scene.watcher.step()
    assert "late.png" in scene.states


def restore(path, data):
    """Replace a file by one of the same size and modification time."""
    before = path.stat()
    copy = path.with_name(".copy")
    copy.write_bytes(data)
    assert copy.stat().st_size == before.st_size
    os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
    copy.replace(path)


def test_other_bytes_of_the_same_size_and_time_are_found_behind_everything_else(scene, draw):
    for key in ("a.png", "b.png"):
        scene.write(key, draw(1))
    scene.watcher.step()
    scene.work()
    before = scene.bench.collection.by_key()
    restore(scene.root / "a.png", draw(2))
    (scene.root / "b.png").chmod(0o600)
    scene.scan()
    assert scene.tasks.sent == [("a.png", "reread"), ("b.png", "reread")]
    assert scene.states == {"a.png": "indexed", "b.png": "indexed"}
    scene.scan()
    assert len(scene.tasks.sent) == 2
    scene.work()
    after = scene.bench.collection.by_key()
    assert after["a.png"].sha256 != before["a.png"].sha256
    assert after["b.png"].sha256 == before["b.png"].sha256
    assert sum(scene.bench.encoder.batches) == 2
    scene.scan()
    assert scene.tasks.sent == []


def test_a_changed_sidecar_has_its_picture_looked_at_again_and_is_not_left_out(scene, draw):
    scene.write("in/a.png", draw(1))
    scene.write("b.png", draw(2))
    scene.watcher.step()
    scene.work()
    scene.write("in/a.png.xmp", b"<x/>")
    scene.write("other.xmp", b"<x/>")
    scene.scan()
    assert scene.tasks.sent == [("in/a.png", "reread")]
    assert scene.watcher.status.ignored == 0
    scene.work()
    scene.scan()
    assert scene.tasks.sent == []
    # A file event tells the same at once.
    scene.write("b.xmp", b"<x/>")
    scene.watcher.changed.put("b.xmp")
    scene.watcher.step()
    assert scene.tasks.sent == [("b.png", "new")]
    scene.work()
    for key in ("b.xmp", "in/a.png.xmp"):
        (scene.root / key).unlink()
    scene.scan()
    assert sorted(scene.tasks.sent) == [("b.png", "reread"), ("in/a.png", "reread")]
    assert sum(scene.bench.encoder.batches) == 2


def test_records_of_an_earlier_version_are_not_read_again(scene, draw):
    scene.write("a.png", draw(1))
    scene.watcher.step()
    scene.work()
    scene.bench.collection.set_stamp(list(scene.bench.collection.images), None)
    scene.start()
    scene.watcher.step()
    assert scene.tasks.sent == []


@pytest.mark.parametrize(
    ("asked", "queued"),
    [
        ({"keys": ["in/a.png", "none.png"]}, [("in/a.png", "new")]),
        ({"keys": ["in"]}, [("in/a.png", "new"), ("in/b.png", "new")]),
        ({"folder": "in/"}, [("in/a.png", "reread"), ("in/b.png", "reread")]),
        ({}, [("c.png", "reread"), ("in/a.png", "reread"), ("in/b.png", "reread")]),
    ],
)
def test_an_owner_may_have_a_part_compared(scene, draw, asked, queued):
    for number, key in enumerate(("in/a.png", "in/b.png", "c.png")):
        scene.write(key, draw(number))
    scene.watcher.step()
    scene.work()
    scene.client.lpush("sightline:rescan", json.dumps({**asked, "verify": True}))
    scene.watcher.step()
    assert scene.tasks.sent == queued
    assert set(scene.states.values()) == {"indexed"}
    scene.work()
    assert sum(scene.bench.encoder.batches) == 3
    scene.scan()
    assert scene.tasks.sent == []


def test_an_owner_may_ask_by_a_command(scene, draw, redis_server, capsys):
    scene.write("in/a.png", draw(1))
    scene.write("b.png", draw(2))
    scene.watcher.step()
    scene.work()
    assert request_rescan(QueueSettings(redis_url=redis_server.url), "in", verify=True) == 0
    assert "looks at in now, and compares" in capsys.readouterr().out
    scene.watcher.step()
    assert scene.tasks.sent == [("in/a.png", "reread")]
    assert request_rescan(QueueSettings(redis_url="redis://127.0.0.1:1/0"), "", verify=False) == 1


def test_what_is_left_out_is_counted_by_kind(scene, draw):
    scene.write("photo", draw(1))
    for key in ("README", "clip.mp4", "other.mp4", "odd.jpg_old", "#snapshot/a.png", ".hidden/b.png", "empty"):
        scene.write(key, b"" if key == "empty" else b"text")
    scene.watcher.step()
    assert scene.tasks.keys == ["photo"]
    report = json.loads(scene.client.get("sightline:left-out"))
    assert {(one["kind"], one["name"]): one["count"] for one in report["files"]} == {
        ("extension", ".mp4"): 2,
        ("no_extension", ""): 2,
        ("extension", ".jpg_old"): 1,
        ("folder", "#snapshot"): 1,
        ("hidden", ""): 1,
    }
    clips = report["files"][0]
    assert (clips["reason"], clips["examples"]) == ("video", ["clip.mp4", "other.mp4"])
    assert gauge("images", state="ignored") == 7
    scene.work()
    scene.scan()
    assert scene.tasks.sent == []
    assert scene.states == {"photo": "indexed"}


def test_the_first_bytes_of_a_file_are_read_once(scene, draw, monkeypatch):
    scene.write("README", b"text")
    scene.write("photo", draw(1))
    scene.watcher.step()
    scene.work()
    opened = []
    real = scene.bucket.open
    monkeypatch.setattr(scene.bucket, "open", lambda key: opened.append(key) or real(key))
    for _ in range(3):
        scene.scan()
    assert opened == []
    scene.write("README", draw(2))
    scene.scan()
    assert scene.tasks.keys == ["README"]


def test_folders_that_cannot_be_listed_fail_with_a_reason(scene, draw, tmp_path):
    (tmp_path / "outside").mkdir()
    (scene.root / "album").symlink_to(tmp_path / "outside")
    deep = os.fsencode(scene.root)
    for _ in range(5):
        deep += b"/" + b"x" * 200
        os.mkdir(deep)
    os.chdir(deep)
    try:
        os.mkdir("y" * 30)
        with open("z" * 30 + ".png", "wb") as file:
            file.write(draw(1))
    finally:
        os.chdir(tmp_path)
    scene.write("good.png", draw(3))
    for _ in range(3):
        scene.scan()
        scene.work()
    failed = {image.key: image.reason for image in scene.bench.collection.images.values() if image.state == "failed"}
    assert sorted(key.rpartition("/")[2] for key in failed) == ["album", "y" * 30, "z" * 30 + ".png"]
    assert "symbolic link" in failed.pop("album")
    assert all("longer than" in reason for reason in failed.values())
    assert scene.states["good.png"] == "indexed"


def test_a_folder_that_is_marked_goes_with_the_event_and_comes_back(scene, draw):
    scene.rule = replace(scene.rule, least=1)
    scene.start()
    for number in range(5):
        scene.write(f"in/{number}.png", draw(number))
    scene.watcher.step()
    scene.work()
    (scene.root / "in/.nomedia").touch()
    scene.tell("in/.nomedia")
    scene.steps()
    assert scene.in_search == set()
    assert scene.watcher.status.held is None
    scene.tell("in/1.png")
    assert scene.in_search == set()
    (scene.root / "in/.nomedia").unlink()
    scene.tell("in/.nomedia")
    assert len(scene.in_search) == 5
    assert sum(scene.bench.encoder.batches) == 5


def test_it_goes_on_after_redis_and_the_catalogue_failed(make_scene, module_redis, draw):
    scene = make_scene(module_redis.client)
    stop = threading.Event()
    scene.watcher._stopping = stop.is_set
    thread = threading.Thread(target=scene.watcher.run)
    thread.start()
    try:
        wait_for(lambda: module_redis.client.hget("sightline:watcher", "last_scan_at"))
        module_redis.kill()
        wait_for(lambda: gauge("waiting", service="redis") == 1)
        scene.write("a.png", draw(1))
        module_redis.start()
        wait_for(lambda: scene.tasks.keys == ["a.png"])
        wait_for(lambda: module_redis.client.hget("sightline:watcher", "last_scan_at"))
        scene.bench.collection.errors = [CatalogueUnavailable("qdrant does not answer")] * 3
        scene.write("b.png", draw(2))
        module_redis.client.lpush("sightline:rescan", "{}")
        wait_for(lambda: scene.tasks.keys == ["a.png", "b.png"])
        wait_for(lambda: gauge("waiting", service="redis") == gauge("waiting", service="qdrant") == 0)
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


def test_what_an_older_version_read_is_read_again_behind_everything_else(scene, draw):
    for number in range(3):
        scene.write(f"{number}.png", draw(number))
    scene.scan()
    scene.work()
    images = scene.bench.collection.images
    for image in list(images.values()):
        images[image.id] = replace(image, reader=None)
    scene.start()
    scene.write("new.png", draw(9))
    scene.scan()
    assert scene.tasks.keys == ["new.png"]
    scene.watcher._check_due_at = 0
    scene.watcher.step()
    assert scene.tasks.keys == ["new.png"]
    scene.work()
    scene.watcher._check_due_at = 0
    scene.watcher.step()
    assert sorted(scene.tasks.sent) == [(f"{number}.png", "reread") for number in range(3)]
    assert set(scene.states.values()) == {"indexed"}
    encoded = sum(scene.bench.encoder.batches)
    scene.work()
    assert sum(scene.bench.encoder.batches) == encoded
