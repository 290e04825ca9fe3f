"""An error that nobody thought of ends no more than what it happened to, and is told."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY
from sightline_catalogue import CatalogueError
from sightline_ingest_worker.watcher.backfill import Backfill
from sightline_ingest_worker.watcher.candidates import Candidates
from sightline_ingest_worker.watcher.reconciler import Reconciler
from sightline_ingest_worker.worker import indexing, reading
from sightline_ingest_worker.worker.task import index_task


def count() -> float:
    return REGISTRY.get_sample_value("sightline_watcher_unexpected_errors_total") or 0.0


def test_of_a_task_it_is_the_failure_of_its_object(bench, draw, monkeypatch):
    for number in range(9):
        bench.bucket.put(f"{number}.png", draw(number))
    really = reading.render_index_input

    def render(data, *args, **kwargs):
        if data == draw(5):
            raise ZeroDivisionError("in a decoder")
        return really(data, *args, **kwargs)

    monkeypatch.setattr(reading, "render_index_input", render)
    outcome = index_task(bench.context, list(bench.bucket.files), 60)
    assert outcome["failed"] == 1
    assert {key for key, state in bench.states.items() if state == "indexed"} == set(bench.bucket.files) - {"5.png"}
    image = bench.collection.by_key()["5.png"]
    assert "ZeroDivisionError: in a decoder" in image.reason
    assert image.next_try_at is not None
    monkeypatch.setattr(reading, "render_index_input", really)
    assert index_task(bench.context, ["5.png"], 60) == {"indexed": 1}


def test_of_a_task_whose_failure_cannot_even_be_recorded_the_rest_goes_on(bench, draw, monkeypatch):
    for number in range(3):
        bench.bucket.put(f"{number}.png", draw(number))
    really = indexing.store

    def store(context, collection, items):
        if any(finished.read.item.key == "1.png" for finished in items):
            raise ValueError("a record that cannot be written")
        return really(context, collection, items)

    monkeypatch.setattr(indexing, "store", store)
    index_task(bench.context, list(bench.bucket.files), 60)
    assert bench.states == {"0.png": "indexed", "2.png": "indexed"}


@pytest.fixture
def reconciler(bench, make_queue):
    queue = make_queue()
    return Reconciler("main", queue, 0.0, Candidates(bench.bucket), Backfill(queue))


def test_of_a_listed_object_it_is_counted_and_the_rest_is_queued(bench, draw, reconciler, monkeypatch):
    for number in range(40):
        bench.bucket.put(f"{number}.png", draw(number))
    before, really = count(), reconciler._plan

    def plan(seen, known, *rest):
        if seen.key in ("7.png", "31.png"):
            raise KeyError("a field")
        return really(seen, known, *rest)

    monkeypatch.setattr(reconciler, "_plan", plan)
    reconciler.reconcile(bench.collection, list(bench.bucket.list()), "new", "scan")
    assert set(bench.states) == set(bench.bucket.files) - {"7.png", "31.png"}
    assert count() == before + 2
    assert "2 times, at last in 7.png: KeyError: 'a field'" in reconciler.unexpected.message


def test_a_service_that_does_not_answer_is_none(bench, draw, reconciler):
    bench.bucket.put("a.png", draw(1))
    bench.collection.errors = [CatalogueError("down")]
    with pytest.raises(CatalogueError):
        reconciler.reconcile(bench.collection, list(bench.bucket.list()), "new", "scan")
    assert reconciler.unexpected.message is None
