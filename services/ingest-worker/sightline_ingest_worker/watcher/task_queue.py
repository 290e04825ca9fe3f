"""Puts keys into the queue, and tells how full it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import redis
from celery import Celery
from sightline_service.batches import batched
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW, TASK_INDEX

UNACKED = "unacked"
"""The hash in which kombu keeps what workers have taken and not finished."""

KEYS_PER_TASK = 32


@dataclass(frozen=True)
class QueueLengths:
    """Tasks that wait, by queue, and those that workers, dead ones included, have taken."""

    new: int
    backfill: int
    taken: int

    @property
    def waiting(self) -> int:
        """Tasks that wait in either queue."""
        return self.new + self.backfill


class TaskQueue:
    """The queue as the watcher uses it.

    Args:
        app: Celery's application; sends.
        client: Redis; counts.
    """

    def __init__(self, app: Celery, client: redis.Redis) -> None:
        self._app = app
        self._client = client

    def send(self, keys: Sequence[str], queue: str) -> int:
        """Queue keys; returns how many tasks they made.

        Raises:
            kombu.exceptions.OperationalError: Redis does not answer; some of them may have been queued.
        """
        tasks = list(batched(keys, KEYS_PER_TASK))
        for keys_of_task in tasks:
            self._app.send_task(
                TASK_INDEX,
                args=[list(keys_of_task)],
                queue=queue,
                retry=True,
                # A connection that Redis closed meanwhile costs one try.
                retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2},
            )
        return len(tasks)

    def lengths(self) -> QueueLengths:
        """Return how full the queues are, at one moment.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        pipe = self._client.pipeline(transaction=True)
        pipe.llen(QUEUE_NEW)
        pipe.llen(QUEUE_BACKFILL)
        pipe.hlen(UNACKED)
        return QueueLengths(*(int(number) for number in pipe.execute()))
