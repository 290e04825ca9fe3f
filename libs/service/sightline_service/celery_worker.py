"""Runs a Celery worker of several processes: start, shutdown, metrics.

Needs the `queue` extra.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Sequence

import structlog
from celery import Celery, signals
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from sightline_service.logs import LogSettings
from sightline_service.metrics import try_to_serve_metrics
from sightline_service.parent_death import die_with_parent
from sightline_service.process_metrics import ProcessTreeCollector

log = structlog.get_logger()


def stopping_flag() -> Callable[[], bool]:
    """Return a function that says, in every process of a worker, whether the worker is stopping.

    Call it in the worker's main process, before that forks.
    """
    flag = multiprocessing.Value("b", 0, lock=False)

    @signals.worker_shutting_down.connect(weak=False)
    def stop(**_: object) -> None:
        flag.value = 1

    return lambda: bool(flag.value)


def run_worker(
    app: Celery,
    *,
    node: str,
    queues: Sequence[str],
    processes: int,
    logs: LogSettings,
    metrics_address: str,
    metrics_port: int,
    on_ready: Callable[[], None] = lambda: None,
) -> int:
    """Run a worker until SIGTERM; return the exit status. Logging has to be configured before.

    Args:
        app: The application, with its tasks.
        node: Celery's name of the worker's node.
        queues: The queues that it consumes, in order of priority.
        processes: The number of processes, which run one task each.
        logs: At the level `debug` Celery logs each task.
        metrics_address: The address of `/metrics`, which adds up all processes.
        metrics_port: Its port; 0 switches it off.
        on_ready: Called once in the main process, after the others were forked; may start threads.
    """
    if logs.level != "debug":
        # They log two lines a task, each with all its arguments.
        for name in ("celery.worker.strategy", "celery.app.trace"):
            logging.getLogger(name).setLevel(logging.WARNING)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    parent = os.getpid()
    registry.register(ProcessTreeCollector(parent))

    @signals.worker_process_init.connect(weak=False)
    def end_with_main_process(**_: object) -> None:
        die_with_parent(parent)

    @signals.setup_logging.connect(weak=False)
    def keep_logging(**_: object) -> None:
        """Keep Celery from setting up its own."""

    @signals.worker_ready.connect(weak=False)
    def ready(**_: object) -> None:
        # Not before: the pool must not fork while its thread runs.
        try_to_serve_metrics(metrics_address, metrics_port, registry)
        on_ready()
        log.info("ready", processes=processes, queues=list(queues))

    worker = app.Worker(
        hostname=node,
        queues=list(queues),
        concurrency=processes,
        pool_cls="prefork",
        optimization="fair",
        loglevel=logs.level.upper(),
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)
