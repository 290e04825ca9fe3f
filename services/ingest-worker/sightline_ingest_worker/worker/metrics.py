"""What the worker counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter

from sightline_ingest_worker.upstream_errors import SERVICES
from sightline_ingest_worker.worker.item import OUTCOMES

IMAGES = Counter(
    "sightline_ingest_images_total",
    "Objects that a task was done with: indexed (encoded), copied (equal bytes were known), unchanged, failed, "
    "waiting (changed while read, comes again), gone.",
    ["outcome"],
)
STEP_SECONDS = Counter(
    "sightline_ingest_step_seconds_total",
    "Seconds spent: look, read, find_equal, decode, preprocess, thumbnail, encode, store; several run at once.",
    ["step"],
)
TASKS = Counter(
    "sightline_ingest_tasks_total",
    "Tasks: done, returned (a service did not answer for too long, or the worker stopped), crashed (a process ended "
    "while it decoded, found out by the next task).",
    ["outcome"],
)
WAITS = Counter("sightline_ingest_waits_total", "Pauses for a service that did not answer or was busy.", ["service"])


def show_from_zero() -> None:
    """Show what a worker has not counted yet as 0, so that its first increase is seen as one."""
    for outcome in OUTCOMES:
        IMAGES.labels(outcome)
    for outcome in ("done", "returned", "crashed"):
        TASKS.labels(outcome)
    for service in SERVICES:
        WAITS.labels(service)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Time a step."""
    started = time.perf_counter()
    try:
        yield
    finally:
        STEP_SECONDS.labels(name).inc(time.perf_counter() - started)
