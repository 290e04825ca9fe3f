"""What the watcher's listings find, queue and leave out: over a real folder and a real Redis; the rest are fakes."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
from sightline_ingest_worker.watcher.rescan import request_rescan
from sightline_service.queues import QueueSettings
from waiting import wait_for


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
    assert scene.gauge("images", state="ignored") == 7
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
