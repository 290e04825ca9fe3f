"""When pending keys are queued again. No input or output of its own."""

from __future__ import annotations

import time
from collections.abc import Callable

from sightline_ingest_worker.watcher.task_queue import QueueLengths

LONGEST_STUCK_SECONDS = 30.0


class RequeuePolicy:
    """Tells when what is pending has been lost by the queue.

    Where nothing waits and no worker holds anything, it has. Where a worker was killed, the queue believes for two
    minutes that it still holds its tasks: then what counts is that nothing waits and pending does not fall for a while.
    A worker may be slow instead; so each time without a fall the wait doubles, and what is queued twice does no harm.
    """

    def __init__(self, stuck_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._stuck_seconds = stuck_seconds
        self._clock = clock
        self._wait = stuck_seconds
        self._pending = 0
        self._moved_at = clock()

    def is_due(self, pending: int, lengths: QueueLengths) -> bool:
        """Return whether to queue again.

        Args:
            pending: Counted after `lengths`, so that what those miss is not under way.
            lengths: Of the queues.
        """
        now = self._clock()
        if pending < self._pending:
            self._wait = self._stuck_seconds
        if pending != self._pending or lengths.waiting:
            self._moved_at = now
        self._pending = pending
        if pending == 0 or lengths.waiting:
            return False
        return lengths.taken == 0 or now - self._moved_at >= self._wait

    def requeued(self) -> None:
        """Note that what was pending has been queued."""
        self._moved_at = self._clock()
        self._wait = min(2 * self._wait, max(LONGEST_STUCK_SECONDS, self._stuck_seconds))
