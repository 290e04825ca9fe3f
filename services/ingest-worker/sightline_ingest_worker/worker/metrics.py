"""The worker's metrics."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter

from sightline_ingest_worker.upstream_errors import SERVICES
from sightline_ingest_worker.worker.item import OUTCOMES

IMAGES = Counter(
    "sightline_ingest_images_total",
    "Objects that tasks have handled: indexed (encoded), copied (the vector of equal bytes), unchanged, failed, "
    "waiting (changed while it was read, tried again), gone.",
    ["outcome"],
)
STEP_SECONDS = Counter(
    "sightline_ingest_step_seconds_total",
    "Seconds spent: look_up, read, find_equal, decode, thumbnail, encode, store, group; several run at once.",
    ["step"],
)
TASKS = Counter(
    "sightline_ingest_tasks_total",
    "Tasks: done, returned (a service did not answer for too long, or the worker stopped), crashed (no task, but a "
    "decoder that ended while it decoded), unexpected (an error that nobody thought of; its keys go on alone).",
    ["outcome"],
)
WAITS = Counter("sightline_ingest_waits_total", "Pauses for a service that did not answer or was busy.", ["service"])


def show_from_zero() -> None:
    """Export every counter from 0 on, so that Prometheus sees its first increase."""
    for outcome in OUTCOMES:
        IMAGES.labels(outcome)
    for outcome in ("done", "returned", "crashed", "unexpected"):
        TASKS.labels(outcome)
    for service in SERVICES:
        WAITS.labels(service)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Add the time of a block to a step's seconds."""
    started = time.perf_counter()
    try:
        yield
    finally:
        STEP_SECONDS.labels(name).inc(time.perf_counter() - started)
