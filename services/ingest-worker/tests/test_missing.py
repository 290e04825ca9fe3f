"""Moved files, lost disks and files that come back, as the watcher handles them; see `Scene`."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes import FakeCollection
from sightline_bucket import BucketUnavailable
from sightline_ingest_worker.watcher.missing_plan import LossRule
from sightline_service.queues import WatcherStatus


@pytest.fixture
def scene(scene):
    """As elsewhere; of ten pictures three are a loss."""
    scene.rule = LossRule(share=0.3, least=3, window=timedelta(minutes=10))
    scene.start()
    return scene


def status(scene):
    scene.watcher._check_due_at = 0
    scene.watcher.step()
    return WatcherStatus.read(scene.client.hgetall("sightline:watcher"))


def confirm(scene, at=None):
    scene.client.lpush("sightline:rescan", json.dumps({"confirm_loss": (at or datetime.now(UTC)).isoformat()}))


def test_a_folder_that_is_renamed_is_never_out_of_search(scene):
    old = scene.fill("old", 10)
    (scene.root / "old").rename(scene.root / "new")
    for key in ("old", "new"):
        scene.tell(key)
        scene.steps()
        assert scene.in_search == set(old)
    new = [key.replace("old", "new") for key in old]
    assert {key for key, state in scene.states.items() if state == "pending"} == set(new)
    queued, scene.tasks.sent = scene.tasks.sent, scene.tasks.sent[:4]
    scene.work()
    scene.steps()
    assert scene.in_search == set(new[:4]) | set(old[4:])
    scene.tasks.sent = queued[4:]
    scene.work()
    scene.steps()
    assert scene.states == dict.fromkeys(new, "indexed")
    assert scene.encoded == 10


def test_a_move_that_a_new_watcher_finds_half_done_goes_on(scene):
    old = scene.fill("old", 10)
    (scene.root / "old").rename(scene.root / "new")
    scene.tell("old", "new")
    scene.start()
    scene.steps()
    assert scene.in_search == set(old)
    scene.work()
    scene.start()
    scene.steps()
    assert scene.states == dict.fromkeys([key.replace("old", "new") for key in old], "indexed")
    assert scene.encoded == 10


@pytest.mark.parametrize("is_settled", [True, False])
def test_a_folder_that_is_moved_there_and_back_is_no_loss(scene, is_settled):
    keys = scene.fill("old", 10)
    for source, target in (("old", "new"), ("new", "old"), ("old", "new"), ("new", "old")):
        (scene.root / source).rename(scene.root / target)
        scene.tell(source, target)
        if is_settled:
            scene.work()
            scene.steps()
        assert {key.rpartition("/")[2] for key in scene.in_search} == {key.rpartition("/")[2] for key in keys}
    scene.work()
    scene.steps()
    assert scene.states == dict.fromkeys(keys, "indexed")
    assert status(scene).held is None
    assert scene.encoded == 10


def test_a_file_of_its_own_is_moved_without_being_encoded_again(scene, draw):
    scene.fill("in", 10)
    (scene.root / "in/3.png").rename(scene.root / "moved.png")
    scene.tell("in/3.png", "moved.png")
    scene.work()
    scene.steps()
    assert "moved.png" in scene.in_search
    assert "in/3.png" not in scene.states
    assert scene.encoded == 10


@pytest.mark.parametrize("is_told", [True, False])
def test_a_file_that_takes_long_to_be_moved_to_another_disk_stays_in_search(scene, is_told):
    keys = scene.fill("in", 10)
    data = (scene.root / "in/3.png").read_bytes()
    scene.write("disk/3.png", data[:20])
    scene.tell("disk/3.png")
    scene.write("disk/3.png", data)
    if is_told:
        scene.tell("disk/3.png")
    else:
        scene.start()
    (scene.root / "in/3.png").unlink()
    scene.tell("in/3.png")
    scene.steps()
    assert scene.in_search == set(keys)
    scene.work()
    scene.steps()
    assert scene.in_search == {*keys, "disk/3.png"} - {"in/3.png"}
    assert scene.encoded == 10


def test_a_move_onto_another_file_keeps_the_vector(scene, draw):
    scene.fill("in", 3)
    scene.write("in/3.png", draw(99, (64, 64)))
    scene.fill("in", 6, first=4)
    (scene.root / "in/3.png").rename(scene.root / "in/4.png")
    scene.tell("in/3.png", "in/4.png")
    scene.steps()
    assert "in/3.png" in scene.in_search
    scene.work()
    scene.steps()
    assert "in/4.png" in scene.in_search
    assert "in/3.png" not in scene.states
    assert scene.encoded == 10


def test_what_is_taken_out_and_comes_back_costs_nothing(scene):
    keys = scene.fill("in", 10)
    shutil.move(scene.root / "in/3.png", scene.root.parent / "away.png")
    scene.tell("in/3.png")
    scene.steps()
    assert scene.in_search == set(keys) - {"in/3.png"}
    assert scene.bench.collection.counts().indexed == 9
    shutil.move(scene.root.parent / "away.png", scene.root / "in/3.png")
    scene.tell("in/3.png")
    assert scene.in_search == set(keys)
    assert scene.tasks.sent == []
    shutil.move(scene.root / "in/3.png", scene.root.parent / "away.png")
    scene.scan()
    scene.steps()
    assert "in/3.png" not in scene.in_search
    shutil.move(scene.root.parent / "away.png", scene.root / "elsewhere.png")
    scene.scan()
    scene.work()
    assert "elsewhere.png" in scene.in_search
    assert scene.encoded == 10


def test_what_comes_back_with_another_time_is_read_and_not_encoded(scene):
    scene.fill("in", 10)
    data = (scene.root / "in/3.png").read_bytes()
    (scene.root / "in/3.png").unlink()
    scene.tell("in/3.png")
    scene.steps()
    (scene.root / "in/3.png").write_bytes(data)
    scene.tell("in/3.png")
    scene.work()
    assert "in/3.png" in scene.in_search
    assert scene.encoded == 10


def test_only_a_second_listing_takes_out_what_one_did_not_have(scene):
    keys = scene.fill("in", 10)
    scene.watcher._missing.mark([scene.bench.collection], [scene.bench.context.image_id(keys[0])], is_reported=False)
    scene.steps()
    assert scene.in_search == set(keys)
    scene.scan()
    assert scene.in_search == set(keys)
    assert list(scene.bench.collection.missing.scan(datetime.now(UTC))) == []


@pytest.mark.parametrize("how", ["emptied", "one file left", "half of it"])
def test_a_lost_disk_empties_nothing(scene, how):
    keys = scene.fill("in", 10)
    away = scene.root.with_name("away")
    if how == "half of it":
        away.mkdir()
        for key in keys[:5]:
            (scene.root / key).rename(away / key.rpartition("/")[2])
    else:
        (scene.root / "in").rename(away)
    if how == "one file left":
        scene.write("README.txt", b"The disk is not mounted.")
    lost = 5 if how == "half of it" else 10
    scene.scan()
    scene.steps()
    assert scene.states == dict.fromkeys(keys, "indexed")
    told = status(scene).held
    assert (told.count, told.of, len(told.examples)) == (lost, 10, 5)
    scene.start()
    scene.steps()
    assert status(scene).held.count == lost
    assert scene.watcher._missing.held.since == told.since

    for path in away.iterdir():
        (scene.root / "in").mkdir(exist_ok=True)
        path.rename(scene.root / "in" / path.name)
    scene.scan()
    scene.steps()
    assert status(scene).held is None
    assert scene.states == dict.fromkeys(keys, "indexed")
    assert scene.encoded == 10
    assert scene.tasks.sent == []


def test_a_loss_that_comes_in_parts_is_seen_and_what_was_taken_out_is_back(scene):
    keys = scene.fill("in", 10)
    for place, key in enumerate(keys[:4]):
        (scene.root / key).unlink()
        scene.tell(key)
        scene.steps()
        assert len(scene.in_search) == (10 if place >= 2 else 9 - place)
    assert status(scene).held.count == 4
    assert status(scene).held.of == 10


def test_a_loss_is_confirmed_and_the_rest_goes_on(scene):
    keys = scene.fill("in", 10)
    for key in keys[:5]:
        (scene.root / key).unlink()
    before = datetime.now(UTC)
    scene.scan()
    scene.steps()
    confirm(scene, before)
    scene.steps()
    assert scene.in_search == set(keys)
    confirm(scene)
    scene.steps()
    assert scene.in_search == set(keys[5:])
    assert status(scene).held is None
    (scene.root / keys[5]).unlink()
    scene.tell(keys[5])
    scene.steps()
    assert scene.in_search == set(keys[6:])
    assert len(scene.bench.thumbnails.kept) == 10


def test_what_is_left_out_goes_at_once_though_a_loss_is_held_and_a_changed_picture_waits(scene):
    lost, private, [changed] = scene.fill("in", 10), scene.fill("private", 2, first=20), scene.fill("out", 1, first=30)
    shutil.rmtree(scene.root / "in")
    scene.scan()
    scene.steps()
    assert status(scene).held.count == 10
    records = scene.bench.collection.images
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    scene.write(changed, b"other bytes")
    scene.write("private/.nomedia", b"")
    scene.tell(changed, "private/.nomedia")
    # As if five minutes had passed, in which the worker did not come to the changed one.
    records |= {one.id: replace(one, missing_since=long_ago) for one in records.values() if one.key in private}
    scene.watcher._missing._records = {
        one: replace(record, since=long_ago) for one, record in scene.watcher._missing._records.items()
    }
    scene.steps()
    assert scene.states[changed] == "pending"
    assert scene.in_search == set(lost)


def test_what_was_left_out_for_a_moment_is_held_when_its_disk_is_away(scene):
    keys = scene.fill("in", 8)
    scene.write("in/.nomedia", b"")
    # Pictures of their size wait for a worker, so that nothing is decided yet.
    scene.rule = LossRule(share=0.3, least=3, window=timedelta(minutes=10))
    for number, key in enumerate(keys):
        scene.write(f"copy-{number}.png", (scene.root / key).read_bytes())
    scene.tell("in/.nomedia", *(f"copy-{number}.png" for number in range(8)))
    assert scene.in_search == set(keys)
    (scene.root / "in/.nomedia").unlink()
    scene.root.rename(scene.root.with_name("away"))
    scene.root.mkdir()
    scene.tell("in/.nomedia")
    scene.tasks.sent = []
    for _ in range(3):
        scene.scan()
        scene.steps()
    assert scene.in_search == set(keys)


def test_what_went_missing_just_now_is_not_confirmed_with_the_rest(scene):
    keys = scene.fill("in", 10)
    scene.grace_seconds = 3600.0
    scene.start()
    (scene.root / keys[0]).unlink()
    scene.tell(keys[0])
    confirm(scene)
    scene.steps()
    assert scene.in_search == set(keys)


def test_an_empty_folder_of_few_pictures_can_be_confirmed(scene):
    keys = scene.fill("in", 2)
    shutil.rmtree(scene.root / "in")
    scene.scan()
    scene.steps()
    assert scene.in_search == set(keys)
    assert status(scene).held.count == 2
    confirm(scene)
    scene.steps()
    assert scene.in_search == set()


def test_what_is_confirmed_and_waits_elsewhere_for_a_worker_stays_in_search(scene):
    keys = scene.fill("in", 10)
    (scene.root / "in").rename(scene.root.with_name("away"))
    scene.scan()
    scene.steps()
    records = scene.bench.collection.images
    long_ago = datetime.now(UTC) - timedelta(days=20)
    records |= {image.id: replace(image, missing_since=long_ago) for image in records.values()}
    scene.start()
    scene.steps()
    assert status(scene).held.count == 10
    # With times of their own, as where a backup is restored without.
    (scene.root / "other").mkdir()
    for path in scene.root.with_name("away").iterdir():
        (scene.root / "other" / path.name).write_bytes(path.read_bytes())
    scene.tell("other")
    confirm(scene)
    scene.steps()
    assert scene.in_search == set(keys)
    scene.work()
    scene.steps()
    assert scene.in_search == {key.replace("in/", "other/") for key in keys}
    assert scene.encoded == 10


def test_a_picture_without_an_extension_that_becomes_another_kind_of_file_is_no_picture_any_more(scene, draw):
    scene.write("scan0001", draw(3))
    scene.tell("scan0001")
    scene.work()
    assert scene.states == {"scan0001": "indexed"}
    scene.write("scan0001", b"not a picture")
    # A worker is first to see it, and finds it broken.
    scene.tasks.sent = [("scan0001", "ingest.new")]
    scene.work()
    assert scene.states == {"scan0001": "failed"}
    scene.scan()
    scene.scan()
    scene.steps()
    assert scene.states == {}


def test_what_is_held_and_appears_elsewhere_has_moved(scene):
    keys = scene.fill("in", 10)
    (scene.root / "in").rename(scene.root.with_name("away"))
    scene.scan()
    scene.steps()
    assert status(scene).held.count == 10
    scene.root.with_name("away").rename(scene.root / "other")
    scene.scan()
    assert scene.in_search == set(keys)
    scene.work()
    scene.steps()
    assert scene.in_search == {key.replace("in/", "other/") for key in keys}
    assert status(scene).held is None
    assert scene.encoded == 10


def test_nothing_has_moved_to_where_another_picture_is_by_now(scene, draw):
    keys = scene.fill("in", 10)
    shutil.copyfile(scene.root / keys[3], scene.root / "copy.png")
    scene.tell("copy.png")
    scene.work()
    shutil.rmtree(scene.root / "in")
    scene.write("copy.png", draw(99))
    scene.tell("in")
    scene.steps()
    assert scene.in_search == {*keys, "copy.png"}
    scene.tell("copy.png")
    scene.work()
    scene.scan()
    scene.steps()
    assert scene.in_search == {*keys, "copy.png"}
    assert status(scene).held.count == 10


def test_what_a_worker_is_first_to_see_again_is_not_held_any_more(scene):
    keys = scene.fill("in", 10)
    data = (scene.root / keys[3]).read_bytes()
    shutil.rmtree(scene.root / "in")
    scene.scan()
    scene.steps()
    assert status(scene).held.count == 10
    scene.write(keys[3], data + b"!")
    scene.tasks.sent = [(keys[3], "reread")]
    scene.work()
    scene.scan()
    scene.steps()
    assert status(scene).held.count == 9
    assert scene.in_search == set(keys)


def test_what_an_owner_deletes_is_never_held_nor_kept(scene):
    keys = scene.fill("in", 10)
    for key in keys[:6]:
        (scene.root / key).unlink()
    scene.tell(*keys[:2])
    scene.client.lpush("sightline:rescan", json.dumps({"keys": keys[:6], "deleted": True}))
    scene.steps()
    assert scene.in_search == set(keys[6:])
    assert status(scene).held is None
    assert len(scene.bench.collection.images) == len(scene.bench.thumbnails.kept) == 4


def test_what_the_settings_leave_out_is_no_loss(scene):
    keys = scene.fill("in", 4)
    scene.fill("private", 6)
    scene.write("private/.nomedia", b"")
    scene.scan()
    scene.steps()
    assert scene.in_search == set(keys)
    assert status(scene).held is None
    (scene.root / "private/.nomedia").unlink()
    scene.scan()
    assert len(scene.in_search) == 10
    assert scene.encoded == 6


def test_what_is_left_out_while_its_task_waits_is_not_indexed(scene, draw):
    scene.fill("private", 2)
    scene.write("private/0.png", draw(7, (64, 64)))
    scene.write("private/new.png", draw(8))
    scene.tell("private/0.png", "private/new.png")
    scene.write("private/.nomedia", b"")
    scene.work()
    scene.tell("private/.nomedia")
    scene.steps()
    assert scene.in_search == set()
    assert scene.encoded == 2


def test_what_is_held_is_at_rest(scene):
    keys = scene.fill("in", 10)
    scene.write("in/new.png", b"not read yet")
    scene.scan()
    scene.tasks.sent = []
    shutil.rmtree(scene.root / "in")
    scene.write("README.txt", b"")
    scene.scan()
    scene.steps()
    assert scene.in_search == set(keys)
    assert scene.bench.collection.counts().pending == 0
    scene.watcher._check_due_at = 0
    scene.steps()
    assert scene.tasks.sent == []


def test_a_bucket_that_cannot_be_reached_is_told(scene):
    scene.fill("in", 3)
    scene.root.rename(scene.root.with_name("unmounted"))
    scene.watcher._bucket_check._due_at = scene.watcher._check_due_at = 0
    with pytest.raises(BucketUnavailable) as raised:
        scene.steps()
    scene.watcher._show_bucket_problem(raised.value)
    told = WatcherStatus.read(scene.client.hgetall("sightline:watcher"))
    assert "is its disk mounted?" in told.bucket_problem
    assert told.bucket_problem_since is not None
    scene.watcher._show_bucket_problem(None)
    assert WatcherStatus.read(scene.client.hgetall("sightline:watcher")).bucket_problem is None


def test_another_disk_in_the_buckets_place_is_listed_at_once(scene):
    keys = scene.fill("in", 10)
    status(scene)
    scene.root.rename(scene.root.with_name("unmounted"))
    scene.root.mkdir()
    scene.watcher._bucket_check._due_at = 0
    assert status(scene).held is None
    scene.steps()
    assert status(scene).held.count == 10
    assert scene.in_search == set(keys)


def begin_reindexing(scene) -> FakeCollection:
    """Have a new model's collection filled; return the one that is searched meanwhile."""
    old = scene.bench.collection
    new = scene.bench.collection = FakeCollection(name="images-other")
    scene.bench.target.target = replace(scene.bench.target.target, collection=new)
    scene.watcher.step()
    return old


def test_a_move_while_a_new_models_collection_is_filled_loses_nothing_from_search(scene):
    keys = scene.fill("old", 10)
    searched = begin_reindexing(scene)
    (scene.root / "old").rename(scene.root / "new")
    scene.tell("old", "new")
    scene.steps()
    assert set(searched.by_key()) == set(keys)
    scene.work()
    scene.steps()
    new = {key.replace("old", "new") for key in keys}
    assert scene.in_search == new
    assert scene.catalogue.collection is scene.bench.collection or set(searched.by_key()) == new
    assert scene.encoded == 20


def test_a_disk_lost_while_a_new_models_collection_is_filled_stays_in_search(scene):
    keys = scene.fill("in", 10)
    searched = begin_reindexing(scene)
    queued, scene.tasks.sent = scene.tasks.sent, scene.tasks.sent[:2]
    scene.work()
    away = scene.root.with_name("away")
    (scene.root / "in").rename(away)
    scene.write("README.txt", b"")
    scene.scan()
    scene.tasks.sent = queued[2:]
    scene.work()
    scene.steps()
    scene.scan()
    assert status(scene).held.count == 10
    assert scene.catalogue.collection is searched
    assert set(searched.by_key()) == set(keys)
    away.rename(scene.root / "in")
    scene.scan()
    scene.steps()
    scene.work()
    for _ in range(3):
        status(scene)
    assert scene.catalogue.collection is scene.bench.collection
    assert scene.in_search == set(keys)
