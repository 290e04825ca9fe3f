"""The backfill: queues what is pending in the catalogue, so much at a time, however much there is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import structlog
from sightline_catalogue import PENDING, Collection, Filter, Image
from sightline_service.clock import SYSTEM_CLOCK, Clock
from sightline_service.queues import QUEUE_BACKFILL

from sightline_ingest_worker.broker import KEYS_PER_TASK
from sightline_ingest_worker.watcher import metrics
from sightline_ingest_worker.watcher.requeue_policy import RequeuePolicy
from sightline_ingest_worker.watcher.task_queue import QueueLengths, TaskQueue

log = structlog.get_logger()

MOST_TASKS = 200
"""Tasks that may wait in the queue of the backfill; it is filled up again once half of them are done."""


class Backfill:
    """Fills the queue of the backfill from the pending records of the catalogue, the newest images first.

    What is found in bulk is only marked as pending, so that a listing never waits for the queue. The records are read
    in rounds, each page when the queue has room for it. A round begins where something was marked since the last one
    began, or where the queue has lost its tasks, and no earlier than the queue is empty: a key that is queued twice is
    looked up twice.

    Args:
        tasks: The queue.
        policy: Decides when the queue has lost its tasks.
        clock: Tells the time.
    """

    def __init__(self, tasks: TaskQueue, policy: RequeuePolicy | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        self._tasks = tasks
        self._policy = policy or RequeuePolicy(clock.monotonic)
        self._clock = clock
        self._round: Iterator[Image] | None = None
        self._collection = ""
        self._is_behind = False

    def note_marked(self) -> None:
        """Note that records were marked as pending whose keys are not queued."""
        self._is_behind = True

    def fill(self, collection: Collection, pending: int, lengths: QueueLengths) -> int:
        """Queue keys where there is room for them; return how many.

        Args:
            collection: Whose pending records are meant.
            pending: How many it has, counted after `lengths`.
            lengths: The lengths of the queues.

        Raises:
            CatalogueError, kombu.exceptions.OperationalError: A service does not answer; the call may be repeated.
        """
        are_lost = self._policy.is_due(pending, lengths)
        if collection.name != self._collection:
            self._round, self._collection = None, collection.name
        if self._round is None and (are_lost or (self._is_behind and pending and not lengths.backfill)):
            self._begin_round(collection)
            if are_lost:
                self._policy.requeued()
        if self._round is None or lengths.backfill > MOST_TASKS // 2:
            return 0
        room = (MOST_TASKS - lengths.backfill) * KEYS_PER_TASK
        count = self._queue(collection, self._round, room)
        if count == 0 and self._is_behind and not lengths.backfill:
            count = self._queue(collection, self._begin_round(collection), room)
        if count < room:
            self._round = None
        return count

    def _begin_round(self, collection: Collection) -> Iterator[Image]:
        self._round, self._is_behind = pending_images(collection), False
        return self._round

    def _queue(self, collection: Collection, images: Iterator[Image], room: int) -> int:
        """Queue the keys of the next images of a round that are due; return how many."""
        try:
            return self._send(collection, images, room)
        except Exception:
            # A later round finds what this one has not queued.
            self._round, self._is_behind = None, True
            raise

    def _send(self, collection: Collection, images: Iterator[Image], room: int) -> int:
        now = self._clock.now()
        due = list(islice((one for one in images if one.next_try_at is None or one.next_try_at <= now), room))
        timed = [image.id for image in due if image.next_try_at is not None]
        if timed:
            collection.set_state(timed, PENDING)
        if due:
            self._tasks.send([image.key for image in due], QUEUE_BACKFILL)
            metrics.QUEUED.labels("backfill").inc(len(due))
        return len(due)


def pending_images(collection: Collection) -> Iterator[Image]:
    """Yield the pending images of a collection, the newest first, a page at a time.

    Raises:
        CatalogueError: The catalogue does not answer.
    """
    cursor = None
    while True:
        page = collection.browse(Filter(states=(PENDING,)), 1000, cursor)
        yield from page.images
        cursor = page.cursor
        if cursor is None:
            return
