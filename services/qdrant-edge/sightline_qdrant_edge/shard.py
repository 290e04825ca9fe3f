"""What a collection does with a shard of the engine, the engine's errors made ours."""

from __future__ import annotations

from pathlib import Path

import qdrant_edge as engine

from sightline_qdrant_edge.errors import engine_errors


def create_shard(folder: Path, config: engine.EdgeConfig) -> None:
    """Write a new, empty shard into a folder that is there and empty."""
    with engine_errors():
        shard = engine.EdgeShard.create(str(folder), config)
        shard.flush()
        shard.close()


def load_shard(folder: Path) -> engine.EdgeShard:
    """Load a shard; the process answers nothing meanwhile (seconds at a million points)."""
    with engine_errors():
        return engine.EdgeShard.load(str(folder))


def flush_shard(shard: engine.EdgeShard) -> None:
    """Let the engine bring a shard to the disk."""
    with engine_errors():
        shard.flush()


def update_shard(shard: engine.EdgeShard, todo: list[engine.UpdateOperation]) -> None:
    """Apply operations in their order; those before one that fails stay applied."""
    with engine_errors():
        for operation in todo:
            shard.update(operation)


def count_points(shard: engine.EdgeShard, found: engine.Filter) -> int:
    """Return how many points a filter finds, exactly."""
    with engine_errors():
        return shard.count(engine.CountRequest(exact=True, filter=found))
