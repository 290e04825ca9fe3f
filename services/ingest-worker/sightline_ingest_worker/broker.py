"""The Celery application that worker and watcher share: the task, its queues, and their limits."""

from __future__ import annotations

from celery import Celery
from sightline_service.queues import QUEUE_BACKFILL, QueueSettings

TASK_INDEX = "sightline.index"
"""The task that indexes keys; its argument is a list of at most KEYS_PER_TASK of them."""
KEYS_PER_TASK = 32
MOST_REREAD = 64_000
"""So many keys wait at most to be read again, or compared with others; a later pass over all records has the rest."""
VISIBILITY_SECONDS = 120
"""The visibility timeout: after so long an unacknowledged task is redelivered; longer than any task takes."""


def celery_app(settings: QueueSettings) -> Celery:
    """Return the Celery application; nothing connects before it is used.

    Messages are JSON only. Results are not kept: the state of an image is in the catalogue. The order of a
    worker's `-Q` is the order of its queues, so that new files go before a backfill.
    """
    app = Celery("sightline", broker=settings.broker_url)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=True,
        task_default_queue=QUEUE_BACKFILL,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "queue_order_strategy": "priority",
            "visibility_timeout": VISIBILITY_SECONDS,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
        },
        worker_hijack_root_logger=False,
        timezone="UTC",
    )
    return app


def is_full_of_rereads(tasks: int) -> bool:
    """Return whether so many tasks in the queue of what is to be read again leave no room for more."""
    return tasks * KEYS_PER_TASK >= MOST_REREAD


def trace_tasks() -> None:
    """Trace the tasks that this process sends, or carries out; after `set_up_tracing`."""
    from opentelemetry.instrumentation.celery import CeleryInstrumentor

    CeleryInstrumentor().instrument()
