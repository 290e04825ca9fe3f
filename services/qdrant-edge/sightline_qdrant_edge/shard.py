"""Calls of the engine's shard; its exceptions are raised as EdgeError."""

from __future__ import annotations

from pathlib import Path

import qdrant_edge as engine

from sightline_qdrant_edge.errors import engine_errors


def create_shard(folder: Path, config: engine.EdgeConfig) -> None:
    """Create an empty shard in an empty folder."""
    with engine_errors():
        shard = engine.EdgeShard.create(str(folder), config)
        shard.flush()
        shard.close()


def load_shard(folder: Path) -> engine.EdgeShard:
    """Load a shard; the process serves nothing meanwhile (seconds at a million points)."""
    with engine_errors():
        return engine.EdgeShard.load(str(folder))


def flush_shard(shard: engine.EdgeShard) -> None:
    """Flush a shard to the disk."""
    with engine_errors():
        shard.flush()


def update_shard(shard: engine.EdgeShard, operations: list[engine.UpdateOperation]) -> None:
    """Apply operations in their order; those before one that fails stay applied."""
    with engine_errors():
        for operation in operations:
            shard.update(operation)


def count_points(shard: engine.EdgeShard, condition: engine.Filter) -> int:
    """Return the exact number of points that a filter matches."""
    with engine_errors():
        return shard.count(engine.CountRequest(exact=True, filter=condition))
