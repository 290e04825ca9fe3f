"""What tests of maps use: pictures of three labels, and the worker's own code in this process."""

from __future__ import annotations

import threading

import numpy as np
from fakes import MODEL
from sightline_search_gateway.maps.jobs import MapJobs
from sightline_search_gateway.maps.store import MapStore
from sightline_search_gateway.maps.worker import job
from sightline_search_gateway.maps.worker.runner import MapWorker

LABELS = ("cats", "dogs", "cows")
EACH = 15


def context(world) -> job.Context:
    """Return what a process that computes maps has open."""
    return job.Context(
        jobs=MapJobs(MapStore(world.settings.queue, world.settings.maps)),
        catalogue=world.catalogue,
        namer=name_as_otherwise,
        threads=1,
    )


def name_as_otherwise(centroids, sizes, otherwise) -> list[str]:
    """Return the names that clusters have without words; what words would be compared with has their dimensions."""
    assert centroids.shape == (len(sizes), MODEL.dimensions)
    return list(otherwise)


class Process(threading.Thread):
    """A run that is computed here, in a thread where a worker has a process."""

    def __init__(self, world, run) -> None:
        super().__init__(target=job.compute, args=(context(world), run))
        self.start()

    @property
    def exitcode(self) -> int | None:
        return None if self.is_alive() else 0

    def kill(self) -> None:
        """A thread ends when it next writes."""


def worker(world, *, start=None, stopping=None) -> MapWorker:
    """Return a map worker."""
    jobs = MapJobs(MapStore(world.settings.queue, world.settings.maps))
    return MapWorker(jobs, "worker", start or (lambda run: Process(world, run)), stopping or threading.Event())


def work(world, **options) -> list[str]:
    """Compute what waits, as the worker would; return what became of each."""
    working = worker(world, **options)
    outcomes = []
    while (outcome := working.work_once()) is not None:
        outcomes.append(outcome)
    working.jobs.store.close()
    return outcomes


def fill(world, each: int = EACH) -> None:
    """Put labelled pictures in whose vectors lie round their label's own."""
    random = np.random.default_rng(1)
    for place, label in enumerate(LABELS):
        for number in range(each):
            image = world.add(f"{label}/{number}.jpg", b"%d %d" % (place, number))
            vector = np.eye(8, dtype=np.float32)[place] + 0.1 * random.standard_normal(8).astype(np.float32)
            world.collection.upsert([image], [np.concatenate([vector, vector[: MODEL.visual_dimensions]])])


def ask(world, **wanted):
    return world.client.post("/api/v1/maps", json=wanted)


def made(world, **wanted) -> dict:
    answer = ask(world, **wanted)
    assert answer.status_code == 202, answer.text
    assert work(world) == ["done"]
    return world.client.get(answer.headers["Location"]).json


def at_iterations(monkeypatch, call, iterations=(100,)) -> None:
    """Have something happen while a layout forms."""
    fit = job.layout.fit

    def watched(*arguments, on_progress, **options):
        def watch(iteration, kl_divergence, coordinates):
            if iteration in iterations:
                call()
            on_progress(iteration, kl_divergence, coordinates)

        return fit(*arguments, on_progress=watch, **options)

    monkeypatch.setattr(job.layout, "fit", watched)
    monkeypatch.setattr(job, "PUBLISH_SECONDS", 0.0)
