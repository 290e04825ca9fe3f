"""Builds the indexes of collections in the background, each on a copy that is then swapped in."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import structlog

from sightline_qdrant_edge.collection import EdgeCollection
from sightline_qdrant_edge.errors import DiskFull, EdgeError, EngineFailure
from sightline_qdrant_edge.files import read_ahead, tree_bytes
from sightline_qdrant_edge.metrics import BUILD_SECONDS, BUILDS
from sightline_qdrant_edge.reserve import Reserve
from sightline_qdrant_edge.schema import segment_points
from sightline_qdrant_edge.shard import load_shard
from sightline_qdrant_edge.store import Store

_log = structlog.get_logger()
_CHECK_SECONDS = 0.5
_POLL_SECONDS = 0.1
_RETRY_SECONDS = (2.0, 300.0)
# A new segment takes as much as its points took before, and a tenth or two for the index.
_INDEXED_FACTOR = 1.2


class Indexer:
    """A thread that builds the indexes of a store, one at a time."""

    def __init__(self, store: Store, reserve: Reserve, threshold: int, segment_mb: int) -> None:
        """Start no thread yet.

        Args:
            store: The collections.
            reserve: The free space of their disk.
            threshold: A build begins when more points than this have a vector and no index.
            segment_mb: The most MB of vectors that a build puts into one segment.
        """
        self._store = store
        self._reserve = reserve
        self._threshold = threshold
        self._segment_mb = segment_mb
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="indexer", daemon=True)
        self._retry: dict[str, tuple[float, float]] = {}

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Abandon a build in progress, and wait for the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_CHECK_SECONDS):
            for collection in self._store.collections():
                if self._stopping.is_set():
                    return
                self._check(collection)

    def _check(self, collection: EdgeCollection) -> None:
        not_before, pause = self._retry.get(collection.name, (0.0, _RETRY_SECONDS[0]))
        if time.monotonic() < not_before:
            return
        try:
            if collection.unindexed <= self._threshold or collection.count_unindexed() <= self._threshold:
                return
            self._build(collection)
            self._retry.pop(collection.name, None)
        except (EdgeError, OSError) as error:
            if collection.closed or self._stopping.is_set():
                return
            collection.build_error = str(error)
            BUILDS.labels("failed").inc()
            self._retry[collection.name] = (time.monotonic() + pause, min(2 * pause, _RETRY_SECONDS[1]))
            _log.error("index not built", collection=collection.name, error=str(error), retry_seconds=pause)

    def _build(self, collection: EdgeCollection) -> None:
        started = time.monotonic()
        need = self._needed_bytes(collection)
        if missing := self._reserve.missing_bytes(need):
            raise DiskFull(
                f"the disk is full: an index needs {need:,} bytes, and {missing:,} more would have to be free"
            )
        waiting = collection.unindexed
        _log.info("index begun", collection=collection.name, points=waiting)
        folder, journal = collection.start_generation()
        copied = time.monotonic()
        try:
            self._run_child(folder, collection)
            built = time.monotonic()
            if self._reserve.is_exhausted:
                raise DiskFull("the disk is full: the index that was built cannot be put into service")
            if collection.preloaded:
                # Loading reads all of it while searches wait: so it is put into the page cache first.
                read_ahead(folder)
            collection.finish_generation(folder, load_shard(folder), journal)
        except BaseException:
            collection.abandon_generation(folder)
            raise
        seconds = time.monotonic() - started
        BUILDS.labels("built").inc()
        BUILD_SECONDS.observe(seconds)
        _log.info(
            "index built",
            collection=collection.name,
            points=waiting,
            seconds=round(seconds, 2),
            copy_seconds=round(copied - started, 2),
            child_seconds=round(built - copied, 2),
            swap_seconds=round(time.monotonic() - built, 2),
            replayed_writes=journal.replayed,
        )

    def _needed_bytes(self, collection: EdgeCollection) -> int:
        """Return how many bytes of disk a build takes at most: the copy, and the new segment beside it."""
        folder = collection.folder / collection.generation
        new = max(collection.unindexed, segment_points(collection.request, self._segment_mb))
        share = min(1.0, new / max(1, collection.points))
        return int(tree_bytes(folder) * (1 + share * _INDEXED_FACTOR))

    def _run_child(self, folder: Path, collection: EdgeCollection) -> None:
        command = [sys.executable, "-m", "sightline_qdrant_edge.index_child", str(folder)]
        command += [str(self._segment_mb), str(os.getpid())]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as child:
            try:
                while True:
                    try:
                        _, errors = child.communicate(timeout=_POLL_SECONDS)
                        break
                    except subprocess.TimeoutExpired:
                        if self._stopping.is_set() or collection.closed:
                            raise EngineFailure("the build was abandoned") from None
            except BaseException:
                child.kill()
                raise
        if child.returncode != 0:
            last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise EngineFailure(f"the build ended with status {child.returncode}: {last[0]}")
