"""The Celery application that worker and watcher share: the task, its queues, their limits, and the worker's name."""

from __future__ import annotations

import socket
import sys

from celery import Celery
from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sightline_service import SettingsGroup
from sightline_service.queues import QUEUE_BACKFILL, QueueSettings
from sightline_service.redaction import redact_url

TASK_INDEX = "sightline.index"
"""The task that indexes keys; its argument is a list of at most KEYS_PER_TASK of them."""
KEYS_PER_TASK = 32
VISIBILITY_SECONDS = 120
"""The visibility timeout: after so long an unacknowledged task is redelivered; longer than any task takes."""
PING_SECONDS = 8.0
"""The timeout of a ping: on a busy machine a worker takes a while to answer."""


class NodeSettings(SettingsGroup):
    """The worker's name, apart from its other settings: `--ping`, a health check, need not load them."""

    model_config = SettingsConfigDict(env_prefix="WORKER_")

    name: str = Field(default_factory=socket.gethostname, pattern=r"^[A-Za-z0-9._-]+$")
    """The worker's name: Celery knows it as `ingest@NAME`; unset means the host's name. Two on one machine need two
    names."""

    @property
    def node(self) -> str:
        """Celery's name of the worker's node."""
        return f"ingest@{self.name}"


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


def trace_tasks() -> None:
    """Trace the tasks that this process sends, or carries out; after `set_up_tracing`."""
    from opentelemetry.instrumentation.celery import CeleryInstrumentor

    CeleryInstrumentor().instrument()


def ping(settings: QueueSettings, node: str) -> int:
    """Ping a worker by its node's name, print the outcome, and return an exit status: 0 if it answers."""
    try:
        answers = celery_app(settings).control.ping(destination=[node], timeout=PING_SECONDS)
    except Exception as error:
        print(f"{node}: the queue at {redact_url(settings.redis_url)} does not answer: {error}", file=sys.stderr)
        return 1
    print(f"{node} answers" if answers else f"{node} does not answer", file=sys.stdout if answers else sys.stderr)
    return 0 if answers else 1
