"""When pending keys are queued again. Does no I/O."""

from __future__ import annotations

import time
from collections.abc import Callable

from sightline_ingest_worker.watcher.task_queue import QueueLengths

STUCK_SECONDS = 10.0
"""Pending keys are queued again once no task waits and their number has not fallen for so long."""
LONGEST_STUCK_SECONDS = 30.0


class RequeuePolicy:
    """Decides when the queue has lost the tasks of what is pending.

    It has lost them where no task waits and none is in progress. The tasks of a killed worker count as in progress
    until the visibility timeout, two minutes later: so they also count as lost where no task waits and the number of
    pending keys has not fallen for a while. A worker may merely be slow, so that this wait doubles each time; to queue
    a key twice does no harm.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wait = STUCK_SECONDS
        self._pending = 0
        self._moved_at = clock()

    def is_due(self, pending: int, lengths: QueueLengths) -> bool:
        """Return whether to queue the pending keys again.

        Args:
            pending: The number of pending keys, counted after `lengths`.
            lengths: The lengths of the queues.
        """
        now = self._clock()
        if pending < self._pending:
            self._wait = STUCK_SECONDS
        if pending != self._pending or lengths.waiting:
            self._moved_at = now
        self._pending = pending
        if pending == 0 or lengths.waiting:
            return False
        return lengths.in_progress == 0 or now - self._moved_at >= self._wait

    def requeued(self) -> None:
        """Record that the pending keys have been queued again."""
        self._moved_at = self._clock()
        self._wait = min(2 * self._wait, LONGEST_STUCK_SECONDS)
