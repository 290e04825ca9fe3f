"""The Celery worker of several processes: its task, start, shutdown and metrics."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable
from functools import cache
from typing import Any

import redis
import structlog
from billiard.process import current_process
from celery import Celery, Task, signals
from celery.exceptions import Reject
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from sightline_bucket import ThumbnailStore
from sightline_catalogue import exit_if_too_old
from sightline_service import configure_logging
from sightline_service.disk_metrics import DiskCollector
from sightline_service.heartbeat import beat
from sightline_service.metrics import try_to_serve_metrics
from sightline_service.parent_death import die_with_parent
from sightline_service.process_metrics import ProcessTreeCollector
from sightline_service.queues import QUEUE_BACKFILL, QUEUE_NEW, QUEUE_REREAD, redis_client
from sightline_service.request_ids import REQUEST_ID, bind_request_id, current_request_id
from sightline_service.service_starts import forget_starts, note_start, noted_start
from sightline_service.tracing import flush_traces, set_up_tracing

from sightline_ingest_worker.broker import (
    TASK_INDEX,
    VISIBILITY_SECONDS,
    celery_app,
    is_full_of_rereads,
    trace_tasks,
)
from sightline_ingest_worker.settings import WorkerSettings
from sightline_ingest_worker.worker.context import WorkerContext, open_context
from sightline_ingest_worker.worker.metrics import IMAGES, TASKS, show_from_zero
from sightline_ingest_worker.worker.task import Requeue, index_task

log = structlog.get_logger()

COMPARING = "comparing"
"""The header of a task that is there to compare what another one has indexed; it is followed by none."""
WAIT_SECONDS = 45.0
"""How long a task waits for a service that does not answer before it is requeued: less than VISIBILITY_SECONDS."""

Opener = Callable[[WorkerSettings, Callable[[], bool]], WorkerContext]


def bootstrap(settings: WorkerSettings, opener: Opener = open_context) -> Celery:
    """Return the Celery application with its one task; each process opens its connections at its first task."""
    app = celery_app(settings.queue)
    # Celery's default waits ten seconds for a result of a process that has ended.
    app.conf.worker_lost_wait = 1.0
    stopping = multiprocessing.Value("b", 0, lock=False)
    """Whether the worker is stopping, in shared memory: its processes are forked later."""

    @signals.worker_shutting_down.connect(weak=False)
    def stop(**_: object) -> None:
        stopping.value = 1

    @cache
    def process_context() -> WorkerContext:
        return opener(settings, lambda: bool(stopping.value))

    @cache
    def process_client() -> redis.Redis:
        return redis_client(settings.queue)

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
        # Ingestion makes very many of them, and nobody looks for a single one.
        (log.info if current_request_id() else log.debug)("indexed", **outcome)
        for name, count in outcome.items():
            IMAGES.labels(name).inc(count)
        if outcome["indexed"] + outcome["copied"] and not index.request.get(COMPARING):
            compare_later(keys)

    def compare_later(keys: list[str]) -> None:
        """Have images that are new compared with others, behind all that is to be indexed."""
        if not is_full_of_rereads(process_client().llen(QUEUE_REREAD)):
            index.apply_async((keys,), queue=QUEUE_REREAD, headers={COMPARING: "yes"})

    return app


def _process_field(settings: WorkerSettings) -> str:
    """Return where the starts of this process of the pool are noted; one that takes its place has the same number."""
    return f"ingest-worker {settings.node}, process {getattr(current_process(), 'index', 0)}"


def run(settings: WorkerSettings, opener: Opener = open_context) -> int:
    """Run the worker until SIGTERM; return the exit status."""
    configure_logging(settings.log, "ingest-worker")
    exit_if_too_old(settings.catalogue)
    show_from_zero()
    if settings.log.level != "debug":
        # They log two lines a task, each with all its arguments.
        for name in ("celery.worker.strategy", "celery.app.trace"):
            logging.getLogger(name).setLevel(logging.WARNING)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    main_process = os.getpid()
    registry.register(ProcessTreeCollector(main_process))
    thumbnails = ThumbnailStore(settings.thumbnails.url, settings.disk.reserve_mb)
    if thumbnails.disk is not None:
        registry.register(DiskCollector(thumbnails.disk))

    @signals.worker_process_init.connect(weak=False)
    def set_up_process(**_: object) -> None:
        die_with_parent(main_process)
        note_start(redis_client(settings.queue), _process_field(settings))
        if set_up_tracing(settings.tracing, "ingest-worker"):
            trace_tasks()

    @signals.worker_process_shutdown.connect(weak=False)
    def end_process(**_: object) -> None:
        forget_starts(redis_client(settings.queue), _process_field(settings))
        flush_traces()

    @signals.task_prerun.connect(weak=False)
    def begin_task(task: Task[Any, Any], **_: object) -> None:
        structlog.contextvars.clear_contextvars()
        bind_request_id(task.request.get(REQUEST_ID))

    @signals.setup_logging.connect(weak=False)
    def keep_logging(**_: object) -> None:
        """Keep Celery from setting up its own."""

    # Sent every two seconds by the loop that takes tasks, while Redis answers.
    @signals.heartbeat_sent.connect(weak=False)
    def note_heartbeat(**_: object) -> None:
        beat()

    @signals.worker_ready.connect(weak=False)
    def ready(**_: object) -> None:
        # Not before: the pool must not fork while its thread runs.
        try_to_serve_metrics(settings.metrics.address, settings.metrics_port, registry)
        log.info("ready", processes=settings.processes)

    worker = bootstrap(settings, opener).Worker(
        hostname=settings.node,
        queues=[QUEUE_NEW, QUEUE_BACKFILL, QUEUE_REREAD],
        concurrency=settings.processes,
        pool_cls="prefork",
        optimization="fair",
        loglevel=settings.log.level.upper(),
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    with noted_start(redis_client(settings.queue), "ingest-worker", settings.node):
        worker.start()
    return int(worker.exitcode or 0)
