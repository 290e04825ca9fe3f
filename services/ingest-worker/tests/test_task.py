"""The task waits for services that do not answer, and fails no image because of them."""

from __future__ import annotations

import pytest
from sightline.encoder.client import Unavailable
from sightline_catalogue import CatalogueUnavailable
from sightline_ingest_worker.worker.task import Requeue, index_task

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


def test_a_stop_requeues_at_once(bench, draw):
    bench.bucket.put("a.png", draw(1))
    bench.context.stopping = lambda: True
    with pytest.raises(Requeue):
        index_task(bench.context, ["a.png"], 60)
