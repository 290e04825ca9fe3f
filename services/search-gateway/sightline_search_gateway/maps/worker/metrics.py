"""What the map worker counts."""

from __future__ import annotations

from prometheus_client import Counter

MAPS = Counter(
    "sightline_maps_total",
    "Maps that a worker took: done, failed, cancelled, returned (the worker stopped), lost (its process was killed).",
    ["outcome"],
)
SECONDS = Counter("sightline_maps_seconds_total", "Seconds spent on maps.")
OUTCOMES = ("done", "failed", "cancelled", "returned", "lost")


def show_from_zero() -> None:
    """Show what has not been counted yet as 0, so that its first increase is seen as one."""
    for outcome in OUTCOMES:
        MAPS.labels(outcome)
