"""Where environments that were installed before the watcher's package find its entry point."""

from sightline_ingest_worker.watcher.__main__ import main

__all__ = ["main"]
