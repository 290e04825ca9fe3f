"""The task queue: sends keys to the workers, and reads the queues' lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import redis
from celery import Celery
from sightline_service.batches import batched
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW, QUEUE_REREAD
from sightline_service.request_ids import REQUEST_ID, current_request_id

from sightline_ingest_worker.broker import KEYS_PER_TASK, TASK_INDEX

UNACKED = "unacked"
"""The Redis hash in which kombu keeps delivered messages that are not acknowledged."""


@dataclass(frozen=True)
class QueueLengths:
    """Tasks that wait, by queue, and tasks in progress, those of killed workers included."""

    new: int
    backfill: int
    in_progress: int
    reread: int = 0

    @property
    def waiting(self) -> int:
        """Tasks that wait whose keys are pending."""
        return self.new + self.backfill


class TaskQueue:
    """The queues of the workers, as the watcher uses them.

    Args:
        app: The Celery application that sends tasks.
        client: The Redis client that reads the queues' lengths.
    """

    def __init__(self, app: Celery, client: redis.Redis) -> None:
        self._app = app
        self._client = client

    def send(self, keys: Sequence[str], queue: str) -> None:
        """Queue keys, KEYS_PER_TASK a task.

        Raises:
            kombu.exceptions.OperationalError: Redis does not answer; some of them may have been queued.
        """
        request_id = current_request_id()
        headers = {} if request_id is None else {REQUEST_ID: request_id}
        for batch in batched(keys, KEYS_PER_TASK):
            self._app.send_task(
                TASK_INDEX,
                args=[list(batch)],
                queue=queue,
                headers=headers,
                retry=True,
                # One retry, for a connection that Redis has closed meanwhile.
                retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2},
            )

    def lengths(self) -> QueueLengths:
        """Return the lengths of the queues, read in one transaction.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        pipe = self._client.pipeline(transaction=True)
        pipe.llen(QUEUE_NEW)
        pipe.llen(QUEUE_BACKFILL)
        pipe.hlen(UNACKED)
        pipe.llen(QUEUE_REREAD)
        return QueueLengths(*(int(number) for number in pipe.execute()))
