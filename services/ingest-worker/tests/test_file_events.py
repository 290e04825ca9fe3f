"""Which keys changed, from a real folder."""

from __future__ import annotations

import os
import queue
import threading

import pytest
from sightline_ingest_worker.watcher.debouncer import Debouncer
from sightline_ingest_worker.watcher.file_events import FileEvents, file_system, reports_changes


class Told:
    def __init__(self, root):
        self.keys: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.lost = threading.Event()
        self.events = FileEvents(root, self.keys, self.lost.set)
        self.seen: set[str] = set()

    def tells(self, key: str) -> bool:
        while not self.keys.empty():
            self.seen.add(self.keys.get())
        return key in self.seen


@pytest.fixture
def told(tmp_path):
    root = tmp_path / "bucket"
    root.mkdir()
    told = Told(root)
    told.events.start()
    assert told.events.started.wait(10)
    yield told
    told.events.stop()


def test_new_renamed_and_deleted_files(told, tmp_path, eventually):
    (tmp_path / "bucket/a.jpg").write_bytes(b"1")
    eventually(lambda: told.tells("a.jpg"))
    told.seen.clear()
    (tmp_path / "bucket/a.jpg").rename(tmp_path / "bucket/b.jpg")
    eventually(lambda: told.tells("a.jpg") and told.tells("b.jpg"))
    told.seen.clear()
    (tmp_path / "bucket/b.jpg").unlink()
    eventually(lambda: told.tells("b.jpg"))


def test_a_folder_moved_in_and_out(told, tmp_path, eventually):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.jpg").write_bytes(b"1")
    (tmp_path / "elsewhere").rename(tmp_path / "bucket/in")
    eventually(lambda: told.tells("in"))
    (tmp_path / "bucket/in/later.jpg").write_bytes(b"1")
    eventually(lambda: told.tells("in/later.jpg"))
    told.seen.clear()
    (tmp_path / "bucket/in").rename(tmp_path / "elsewhere")
    eventually(lambda: told.tells("in"))


def test_a_name_of_bad_encoding_breaks_the_watch_off_for_a_moment(told, tmp_path, eventually):
    with open(os.fsencode(tmp_path / "bucket") + b"/\xff.jpg", "wb"):
        pass
    eventually(told.lost.is_set)

    def write() -> bool:
        (tmp_path / "bucket/good.jpg").write_bytes(b"1")
        return told.tells("good.jpg")

    eventually(write)


def test_the_folder_goes_and_comes_back(told, tmp_path, eventually):
    (tmp_path / "bucket").rename(tmp_path / "away")
    (tmp_path / "bucket").mkdir()
    eventually(told.lost.is_set)

    def write() -> bool:
        (tmp_path / "bucket/new.jpg").write_bytes(b"1")
        return told.tells("new.jpg")

    eventually(write)


def test_what_changes_waits_until_it_is_quiet():
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
