"""The process that builds an index: `python -m sightline_qdrant_edge.index_child FOLDER SEGMENT_MB PARENT_PID`.

`EdgeShard.optimize` holds the GIL until it is done, minutes for a large collection, so it runs on a copy, in a process
of its own and of lower priority.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import qdrant_edge as engine
from sightline_service.parent_death import die_with_parent

from sightline_qdrant_edge.files import sync_tree
from sightline_qdrant_edge.schema import engine_config, read_request

_NICENESS = 5  # a third of the usual share of the processor: beside an encoder at full load, a build must still end


def build(folder: Path, config: engine.EdgeConfig) -> None:
    """Index all points of the shard in `folder`, in place, and flush it."""
    shard = engine.EdgeShard.load(str(folder), config)
    shard.optimize()
    shard.flush()
    shard.close()
    sync_tree(folder)


def main() -> None:
    """Build; a failure is one line on stderr and status 1."""
    # Ctrl-C in a terminal goes to every process of the group; the server decides what becomes of a build.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(int(sys.argv[3]))
    os.nice(_NICENESS)
    try:
        folder = Path(sys.argv[1])
        build(folder, engine_config(read_request(folder.parent), int(sys.argv[2])))
    except Exception as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
