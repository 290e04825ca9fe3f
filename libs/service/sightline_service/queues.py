"""Queues, task names and Redis keys, which the gateway, the watcher and the workers share.

Needs the `queue` extra.
"""

from __future__ import annotations

import sys

import redis
from celery import Celery
from pydantic import Field
from pydantic_settings import SettingsConfigDict
from redis.backoff import NoBackoff
from redis.retry import Retry

from sightline_service.settings import SettingsGroup

QUEUE_NEW = "new"
"""The queue of new files, which goes first."""
QUEUE_BACKFILL = "backfill"
"""The queue of files found in bulk."""
TASK_INDEX = "sightline.index"
"""The task that indexes keys; its argument is a list of at most 32 of them."""
RESCAN_LIST = "sightline:rescan"
"""A Redis list of hints to the watcher, JSON: `{}` for the whole bucket, `{"keys": [...]}` for some."""
WATCHER_HASH = "sightline:watcher"
"""The Redis hash with the watcher's status; it may be lost without harm."""

VISIBILITY_SECONDS = 120
"""The visibility timeout: after so long an unacknowledged task is redelivered; longer than any task takes."""
PING_SECONDS = 8.0
"""The timeout of a ping: on a busy machine a worker takes a while to answer."""


class QueueSettings(SettingsGroup):
    """The queues."""

    model_config = SettingsConfigDict(env_prefix="QUEUE_", populate_by_name=True)

    redis_url: str = Field(default="redis://127.0.0.1:6379/0", validation_alias="REDIS_URL")
    """Redis, which holds the queues and the maps."""


def celery_app(settings: QueueSettings, name: str = "sightline") -> Celery:
    """Return a Celery application for the broker; nothing connects before it is used.

    Messages are JSON only. Results are not kept: the state of an image is in the catalogue. The order of a
    worker's `-Q` is the order of its queues, so that new files go before a backfill.
    """
    app = Celery(name, broker=settings.redis_url)
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


def ping(settings: QueueSettings, node: str) -> int:
    """Ping a worker by its node's name, print the outcome, and return an exit status: 0 if it answers."""
    try:
        answers = celery_app(settings).control.ping(destination=[node], timeout=PING_SECONDS)
    except Exception as error:
        print(f"{node}: the queue at {settings.redis_url} does not answer: {error}", file=sys.stderr)
        return 1
    if not answers:
        print(f"{node} does not answer", file=sys.stderr)
        return 1
    print(f"{node} answers")
    return 0


def redis_client(settings: QueueSettings, *, decode_responses: bool = True) -> redis.Redis:
    """Return a client of the broker that gives up after five seconds instead of hanging, and at once where none runs.

    It does not retry: its callers handle the error, and go on without Redis.
    """
    return redis.Redis.from_url(
        settings.redis_url,
        socket_connect_timeout=5,
        socket_timeout=5,
        health_check_interval=30,
        # Explicit, since redis-py's default number of retries, seconds apart, depends on how a client is made.
        retry=Retry(NoBackoff(), 0),
        decode_responses=decode_responses,
    )
