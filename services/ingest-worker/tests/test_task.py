"""The task waits for services that do not answer, and fails no image because of them."""

from __future__ import annotations

import pytest
from sightline.encoder.client import Unavailable
from sightline_catalogue import CatalogueDiskFull, CatalogueUnavailable
from sightline_ingest_worker.worker.task import Requeue, index_task
from structlog.testing import capture_logs

AWAY = Unavailable("no encoder")


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


def test_it_waits_for_room_on_the_disk_of_the_catalogue_and_tells_so_each_time_but_logs_once(bench, draw, slept):
    told = []
    bench.context.tell_full_disk = lambda *said: told.append(said)
    bench.bucket.put("a.png", draw(1))
    words = "the disk of the database is full: 3 MB are free"
    bench.collection.errors = [CatalogueDiskFull(words)] * 3
    with capture_logs() as logs:
        assert index_task(bench.context, ["a.png"], 60) == {"indexed": 1}
    assert told == [("database", words)] * 3
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["waiting for room on a disk"]
    assert bench.target.forgotten == 0


def test_it_waits_for_room_for_thumbnails_and_decodes_nothing_meanwhile(bench, draw, slept, monkeypatch):
    told, decoded = [], []
    bench.context.tell_full_disk = lambda *said: told.append(said)
    run = bench.context.decoders.run
    monkeypatch.setattr(bench.context.decoders, "run", lambda *given: decoded.append(1) or run(*given))
    bench.bucket.put("a.png", draw(1))
    bench.thumbnails.full = "the disk of the thumbnails is full"

    def pause(_: float) -> None:
        assert decoded == []
        if len(told) == 4:
            bench.thumbnails.full = None

    bench.context.pause = pause
    assert index_task(bench.context, ["a.png"], 60) == {"indexed": 1}
    assert told == [("thumbnails", "the disk of the thumbnails is full")] * 4
    assert len(bench.thumbnails.kept) == 1


def test_a_stop_requeues_at_once(bench, draw):
    bench.bucket.put("a.png", draw(1))
    bench.context.stopping = lambda: True
    with pytest.raises(Requeue):
        index_task(bench.context, ["a.png"], 60)
