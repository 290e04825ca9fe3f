"""Wires the Celery worker from its settings, and runs it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from celery import Celery
from celery.exceptions import Reject
from sightline_service import configure_logging
from sightline_service.celery_worker import run_worker, stopping_flag
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW, TASK_INDEX, VISIBILITY_SECONDS, celery_app

from sightline_ingest_worker.settings import WorkerSettings
from sightline_ingest_worker.worker.context import WorkerContext, open_context
from sightline_ingest_worker.worker.metrics import IMAGES, TASKS, show_from_zero
from sightline_ingest_worker.worker.task import Requeue, index_task

WAIT_SECONDS = 45.0
"""How long a task waits for a service that does not answer before it is requeued: less than VISIBILITY_SECONDS."""

Opener = Callable[[WorkerSettings, Callable[[], bool]], WorkerContext]


def bootstrap(settings: WorkerSettings, opener: Opener = open_context) -> Celery:
    """Return the Celery application with its one task; each process opens its connections at its first task."""
    app = celery_app(settings.queue)
    # Celery's default waits ten seconds for a result of a process that has ended.
    app.conf.worker_lost_wait = 1.0
    stopping = stopping_flag()

    @cache
    def process_context() -> WorkerContext:
        return opener(settings, stopping)

    # If its process ends, the task is retried at once, a bounded number of times; after that, and where the whole
    # worker was killed, the watcher queues what is still pending.
    @app.task(
        name=TASK_INDEX,
        retry_on_worker_lost=True,
        max_retries=3,
        default_retry_delay=1,
        time_limit=VISIBILITY_SECONDS - 5,
    )
    def index(keys: list[str]) -> None:
        try:
            outcome = index_task(process_context(), keys, WAIT_SECONDS)
        except Requeue as error:
            TASKS.labels("returned").inc()
            raise Reject(str(error.__cause__), requeue=True) from error
        TASKS.labels("done").inc()
        for name, count in outcome.items():
            IMAGES.labels(name).inc(count)

    return app


def run(settings: WorkerSettings, opener: Opener = open_context) -> int:
    """Run the worker until SIGTERM; return the exit status."""
    configure_logging(settings.log, "ingest-worker")
    show_from_zero()
    return run_worker(
        bootstrap(settings, opener),
        node=settings.node,
        queues=[QUEUE_NEW, QUEUE_BACKFILL],
        processes=settings.processes,
        logs=settings.log,
        metrics_address=settings.metrics.address,
        metrics_port=settings.metrics_port,
    )
