"""What the worker counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter

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
    "Tasks: done, returned (a service was away for too long, or the worker stopped), crashed (found out afterwards).",
    ["outcome"],
)
WAITS = Counter("sightline_ingest_waits_total", "Pauses for a service that was away or busy.", ["service"])


@contextmanager
def step(name: str) -> Iterator[None]:
    """Time a step."""
    started = time.perf_counter()
    try:
        yield
    finally:
        STEP_SECONDS.labels(name).inc(time.perf_counter() - started)
