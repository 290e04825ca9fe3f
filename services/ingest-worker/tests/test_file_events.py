"""Which keys changed, from a real folder."""

from __future__ import annotations

import os
import queue
import threading

import pytest
from sightline_bucket.file_systems import file_system, reports_changes
from sightline_ingest_worker.watcher.debouncer import Debouncer
from sightline_ingest_worker.watcher.file_events import FileEvents
from waiting import wait_for


class RecordedEvents:
    def __init__(self, root):
        self.keys: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.lost = threading.Event()
        self.events = FileEvents(root, self.keys, self.lost.set)
        self.seen: set[str] = set()

    def reports(self, key: str) -> bool:
        while not self.keys.empty():
            self.seen.add(self.keys.get())
        return key in self.seen


@pytest.fixture
def recorded(tmp_path):
    root = tmp_path / "bucket"
    root.mkdir()
    recorded = RecordedEvents(root)
    recorded.events.start()
    assert recorded.events.started.wait(10)
    yield recorded
    recorded.events.stop()


def test_new_renamed_and_deleted_files(recorded, tmp_path):
    (tmp_path / "bucket/a.jpg").write_bytes(b"1")
    wait_for(lambda: recorded.reports("a.jpg"))
    recorded.seen.clear()
    (tmp_path / "bucket/a.jpg").rename(tmp_path / "bucket/b.jpg")
    wait_for(lambda: recorded.reports("a.jpg") and recorded.reports("b.jpg"))
    recorded.seen.clear()
    (tmp_path / "bucket/b.jpg").unlink()
    wait_for(lambda: recorded.reports("b.jpg"))


def test_a_folder_moved_in_and_out(recorded, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/a.jpg").write_bytes(b"1")
    (tmp_path / "outside").rename(tmp_path / "bucket/in")
    wait_for(lambda: recorded.reports("in"))
    (tmp_path / "bucket/in/later.jpg").write_bytes(b"1")
    wait_for(lambda: recorded.reports("in/later.jpg"))
    recorded.seen.clear()
    (tmp_path / "bucket/in").rename(tmp_path / "outside")
    wait_for(lambda: recorded.reports("in"))


def test_a_name_that_is_not_utf8_interrupts_the_watch(recorded, tmp_path):
    with open(os.fsencode(tmp_path / "bucket") + b"/\xff.jpg", "wb"):
        pass
    wait_for(recorded.lost.is_set)

    def write() -> bool:
        (tmp_path / "bucket/good.jpg").write_bytes(b"1")
        return recorded.reports("good.jpg")

    wait_for(write)


def test_the_folder_is_removed_and_made_again(recorded, tmp_path):
    (tmp_path / "bucket").rename(tmp_path / "away")
    (tmp_path / "bucket").mkdir()
    wait_for(recorded.lost.is_set)

    def write() -> bool:
        (tmp_path / "bucket/new.jpg").write_bytes(b"1")
        return recorded.reports("new.jpg")

    wait_for(write)


def test_a_changed_key_waits_until_it_is_quiet():
    now = [0.0]
    debouncer = Debouncer(1.0, lambda: now[0])
    debouncer.touch("a")
    debouncer.touch("b")
    now[0] = 0.9
    debouncer.touch("a")
    assert debouncer.quiet() == []
    now[0] = 1.0
    assert debouncer.quiet() == ["b"]
    now[0] = 1.9
    assert debouncer.quiet() == ["a"]
    now[0] = 100.0
    assert debouncer.quiet() == []


def test_a_local_file_system_reports_changes(tmp_path):
    assert file_system(tmp_path)
    assert reports_changes(tmp_path)
