"""Finds the images that an older version of the code read or compared, for the workers, behind everything else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import structlog
from sightline_catalogue import INDEXED, PENDING, Collection, ScanState
from sightline_pictures import READER_VERSION
from sightline_pictures.near_copies import COMPARISON_VERSION
from sightline_service.queues import QUEUE_REREAD

from sightline_ingest_worker.upstream_errors import UPSTREAM_ERRORS
from sightline_ingest_worker.watcher import metrics
from sightline_ingest_worker.watcher.task_queue import TaskQueue

log = structlog.get_logger()

AT_ONCE = 128
"""Keys that are queued at a time."""
_SLICE = 20_000
"""Records that are looked at in one call."""
_PAUSE_SECONDS = 3600.0
"""So long after a pass that found something the next begins, for what a task has lost."""


class Rereading:
    """One pass after another over a collection's records, until one finds nothing. Used by one thread.

    The records stay as they are until a worker has read their objects: they are found by searches throughout.
    """

    def __init__(self, tasks: TaskQueue, clock: Callable[[], float] = time.monotonic) -> None:
        self._tasks = tasks
        self._clock = clock
        self._collection = ""
        self._records: Iterator[ScanState] | None = None
        self._found = 0
        self._due_at: float | None = clock()

    def begin_again(self) -> None:
        """Have a pass begin when nothing else is to be done."""
        if self._records is None:
            self._due_at = self._clock()

    def fill(self, collection: Collection) -> bool:
        """Queue some images to be read again, when nothing else is to be done; return whether there were any.

        Raises:
            CatalogueError, kombu.exceptions.OperationalError: A service does not answer.
        """
        try:
            keys = self.next_keys(collection)
        except UPSTREAM_ERRORS:
            self._records, self._due_at = None, self._clock()
            raise
        if keys:
            self._tasks.send(keys, QUEUE_REREAD)
            metrics.QUEUED.labels("reader").inc(len(keys))
            log.info("reading again what an older version read", keys=len(keys))
        return bool(keys)

    def next_keys(self, collection: Collection) -> list[str]:
        """Return the keys of some images to be read again; perhaps none, though there are more."""
        if collection.name != self._collection:
            self._collection, self._records, self._due_at = collection.name, None, self._clock()
        if self._records is None:
            if self._due_at is None or self._clock() < self._due_at:
                return []
            self._records, self._found = collection.scan_states(), 0
        keys: list[str] = []
        for looked_at, record in enumerate(self._records, 1):
            if _is_outdated(record):
                keys.append(record.key)
            if len(keys) == AT_ONCE or looked_at == _SLICE:
                break
        else:
            self._records = None
            self._due_at = self._clock() + _PAUSE_SECONDS if self._found + len(keys) else None
        self._found += len(keys)
        return keys


def _is_outdated(record: ScanState) -> bool:
    if record.state == PENDING or record.missing_since is not None:
        return False
    is_compared = record.state != INDEXED or (record.compared or 0) >= COMPARISON_VERSION
    return record.reader is None or record.reader < READER_VERSION or not is_compared
