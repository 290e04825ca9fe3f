"""Wires the Celery worker."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery, signals
from celery.exceptions import Reject
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from sightline_service import configure_logging
from sightline_service.parent_death import die_with_parent
from sightline_service.process_metrics import ProcessTreeCollector
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW, TASK_INDEX, celery_app

from sightline_ingest_worker.context import Context, open_context
from sightline_ingest_worker.metrics import IMAGES, TASKS, show_from_zero, try_to_serve
from sightline_ingest_worker.settings import WorkerSettings
from sightline_ingest_worker.tasks import Returned, index_task

log = structlog.get_logger()

Opener = Callable[[WorkerSettings, Callable[[], bool]], Context]


def bootstrap(settings: WorkerSettings, opener: Opener = open_context) -> Celery:
    """Return a Celery application with its one task; nothing is open before the first task of each process."""
    app = celery_app(settings.queue)
    # Celery waits ten seconds for the answer of a process that has ended.
    app.conf.worker_lost_wait = 1.0
    visibility = settings.queue.visibility_seconds
    stopping = multiprocessing.Value("b", 0, lock=False)
    opened: list[Context] = []

    def process_context() -> Context:
        if not opened:
            opened.append(opener(settings, lambda: bool(stopping.value)))
        return opened[0]

    # A process that ends while it reads: the task comes back at once, a bounded number of times; after that, and
    # for a whole worker that was killed, the watcher finds what is still pending.
    @app.task(
        name=TASK_INDEX,
        retry_on_worker_lost=True,
        max_retries=3,
        default_retry_delay=1,
        time_limit=max(visibility - 5, visibility // 2),
    )
    def index(keys: list[str]) -> None:
        try:
            outcome = index_task(process_context(), keys, min(settings.wait_seconds, visibility / 2))
        except Returned as error:
            TASKS.labels("returned").inc()
            raise Reject(str(error.__cause__), requeue=True) from error
        TASKS.labels("done").inc()
        for name, count in outcome.counts.items():
            IMAGES.labels(name).inc(count)

    @signals.worker_shutting_down.connect(weak=False)
    def stop(**_: Any) -> None:
        stopping.value = 1

    return app


def run(settings: WorkerSettings, opener: Opener = open_context) -> int:
    """Work until SIGTERM; returns the exit status."""
    configure_logging(settings.log, "ingest-worker")
    if settings.log.level != "debug":
        # Two lines a task, each with all its keys.
        for name in ("celery.worker.strategy", "celery.app.trace"):
            logging.getLogger(name).setLevel(logging.WARNING)
    app = bootstrap(settings, opener)
    show_from_zero()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    parent = os.getpid()
    registry.register(ProcessTreeCollector(parent))

    @signals.worker_process_init.connect(weak=False)
    def end_with_parent(**_: Any) -> None:
        die_with_parent(parent)

    @signals.setup_logging.connect(weak=False)
    def keep_logging(**_: Any) -> None:
        """Keep Celery from setting up its own."""

    @signals.worker_ready.connect(weak=False)
    def ready(**_: Any) -> None:
        # Not before: its thread would be there when the pool forks.
        try_to_serve(settings.metrics_address, settings.metrics_port, registry)
        log.info("ready", processes=settings.processes, queues=[QUEUE_NEW, QUEUE_BACKFILL])

    worker = app.Worker(
        hostname=settings.node,
        queues=[QUEUE_NEW, QUEUE_BACKFILL],
        concurrency=settings.processes,
        pool_cls="prefork",
        optimization="fair",
        loglevel=settings.log.level.upper(),
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)
