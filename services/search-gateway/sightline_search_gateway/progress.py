"""How far the collection is, as an answer tells it."""

from __future__ import annotations

from typing import Any

from sightline_search_gateway.board import IngestBoard
from sightline_search_gateway.reach import CatalogueReach


def counts(catalogue: CatalogueReach) -> dict[str, int]:
    """Return how many pictures are in each state.

    Raises:
        CatalogueError: The catalogue does not answer.
    """
    collection = catalogue.current_if_any()
    if collection is None:
        return {"pending": 0, "indexed": 0, "failed": 0}
    found = collection.counts()
    return {"pending": found.pending, "indexed": found.indexed, "failed": found.failed}


def ingest_state(catalogue: CatalogueReach, board: IngestBoard, *, writable: bool) -> dict[str, Any]:
    """Return counts, and what the watcher does.

    Raises:
        CatalogueError: The catalogue does not answer.
    """
    watcher = board.state()
    return {
        **counts(catalogue),
        "ignored": watcher.ignored,
        "queued": watcher.queued,
        "scanning": watcher.scanning,
        "last_scan_at": watcher.last_scan_at,
        "writable": writable,
    }
