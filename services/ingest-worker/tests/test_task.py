"""The task waits for services that do not answer, and fails no image because of them."""

from __future__ import annotations

import pytest
from sightline.encoder.client import Unavailable
from sightline_catalogue import CatalogueUnavailable
from sightline_ingest_worker.worker.task import MAX_CRASHES, Requeue, index_task

AWAY = Unavailable("no encoder")


class FakeJournal:
    def __init__(self, **crashes: int) -> None:
        self.counts = {f"{name}.png": count for name, count in crashes.items()}
        self.decoding: list[list[str]] = []
        self.cleared: list[str] = []

    def crashes(self, keys):
        return {key: count for key, count in self.counts.items() if key in keys}

    def begin(self, keys):
        self.decoding.append(list(keys))

    def end(self):
        pass

    def clear(self, keys):
        self.cleared += keys


@pytest.fixture
def slept(bench):
    slept = []
    bench.context.pause = slept.append
    return slept


def test_it_waits_until_the_encoder_is_back(bench, draw, slept):
    bench.bucket.put("a.png", draw(1))
    bench.encoder.errors = [AWAY] * 4
    assert index_task(bench.context, ["a.png"], 60) == {"indexed": 1}
    assert slept == [0.25, 0.5, 1, 2]
    assert bench.target.forgotten == 4


def test_it_waits_until_the_catalogue_is_back(bench, draw, slept):
    bench.bucket.put("a.png", draw(1))
    bench.collection.errors = [CatalogueUnavailable("qdrant does not answer")] * 2
    assert index_task(bench.context, ["a.png"], 60) == {"indexed": 1}


def test_a_task_that_waits_too_long_is_requeued(bench, draw, slept):
    bench.bucket.put("a.png", draw(1))
    bench.encoder.errors = [AWAY] * 1000
    with pytest.raises(Requeue):
        index_task(bench.context, ["a.png"], 0.2)
    assert bench.states == {}


def test_a_stop_requeues_at_once(bench, draw):
    bench.bucket.put("a.png", draw(1))
    bench.context.stopping = lambda: True
    with pytest.raises(Requeue):
        index_task(bench.context, ["a.png"], 60)


def test_keys_that_may_have_ended_a_process_come_last_and_alone(bench, draw, slept):
    for number, name in enumerate("abcde"):
        bench.bucket.put(f"{name}.png", draw(number))
    journal = bench.context.crash_journal = FakeJournal(b=2, d=1)
    assert index_task(bench.context, list(bench.bucket.files), 60) == {"indexed": 5}
    assert journal.decoding == [["a.png", "c.png", "e.png"], ["d.png"], ["b.png"]]
    assert sorted(journal.cleared) == ["b.png", "d.png"]


def test_a_key_that_ended_three_processes_fails(bench, draw, slept):
    bench.bucket.put("a.png", draw(1))
    bench.bucket.put("poison.png", draw(2))
    bench.context.crash_journal = FakeJournal(poison=MAX_CRASHES)
    assert index_task(bench.context, ["a.png", "poison.png"], 60) == {"indexed": 1, "failed": 1}
    assert bench.bucket.reads == {"a.png": 1}
    assert "decoder" in bench.collection.by_key()["poison.png"].reason


def test_waiting_for_a_service_does_not_count_as_a_crash(bench, draw, slept):
    """Nothing is written down while a task waits, so that a kill then counts for nothing."""
    bench.bucket.put("a.png", draw(1))
    journal = bench.context.crash_journal = FakeJournal()
    written = []
    journal.begin = written.append
    journal.end = written.clear
    states = []
    bench.context.pause = lambda seconds: states.append(list(written))
    bench.encoder.errors = [AWAY] * 3
    index_task(bench.context, ["a.png"], 60)
    assert states == [[], [], []]


def test_a_process_that_is_told_to_exit_while_it_decodes_leaves_its_entry(bench, draw, monkeypatch):
    """Celery ends a process whose task takes too long that way."""
    bench.bucket.put("a.png", draw(1))
    journal = bench.context.crash_journal = FakeJournal()
    ended = []
    journal.end = lambda: ended.append(True)

    def exits(*_):
        raise SystemExit

    monkeypatch.setattr("sightline_ingest_worker.worker.indexing.decode", exits)
    with pytest.raises(SystemExit):
        index_task(bench.context, ["a.png"], 60)
    assert journal.decoding == [["a.png"]]
    assert ended == []
