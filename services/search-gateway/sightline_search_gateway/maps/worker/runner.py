"""Runs map jobs, one at a time, each in a process of its own: one that is killed, by the kernel too, harms no other."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from multiprocessing.process import BaseProcess
from threading import Event, Thread

import redis
import structlog
from prometheus_client import CollectorRegistry
from sightline_catalogue import exit_if_too_old
from sightline_service import configure_logging
from sightline_service.full_disks import redis_disk_problem
from sightline_service.heartbeat import beat
from sightline_service.metrics import try_to_serve_metrics
from sightline_service.parent_death import die_with_parent
from sightline_service.process_metrics import ProcessTreeCollector
from sightline_service.queues import redis_client
from sightline_service.request_ids import working_for
from sightline_service.service_starts import noted_start
from sightline_service.signals import stop_event

from sightline_search_gateway.maps.jobs import HEARTBEAT_SECONDS, MAX_ATTEMPTS, JobRun, LeaseLost, MapJobs
from sightline_search_gateway.maps.store import MapStore
from sightline_search_gateway.maps.worker import metrics
from sightline_search_gateway.maps.worker.settings import MapWorkerSettings

RETRY_SECONDS = 2.0
JOB_MODULE = "sightline_search_gateway.maps.worker.job"
LOST = (
    f"The map worker ended {MAX_ATTEMPTS} times while it computed this map: it may need more memory than there is. Try "
    "a smaller sample."
)
log = structlog.get_logger()


@dataclass(frozen=True)
class MapWorker:
    """Takes jobs, has each computed, and holds its lease meanwhile.

    Attributes:
        jobs: Where they come from.
        name: The worker's.
        start: Starts a process that computes a run.
        stopping: Set when the worker is to end.
    """

    jobs: MapJobs
    name: str
    start: Callable[[JobRun], BaseProcess]
    stopping: Event

    def work(self) -> None:
        """Work until stopped."""
        refused = False
        while not self.stopping.is_set():
            try:
                self.work_once()
                refused = False
            except redis.RedisError as error:
                if not refused:
                    log.warning(redis_disk_problem(error) or "redis does not answer", error=str(error))
                refused = True
                self.stopping.wait(RETRY_SECONDS)

    def work_once(self) -> str | None:
        """Wait a moment for a job, and run it; return its outcome, None where there was no job.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        run = self.jobs.take(self.name)
        beat()
        if run is None:
            return None
        with working_for(run.request_id):
            return self._work_on(run)

    def _work_on(self, run: JobRun) -> str:
        began = time.monotonic()
        try:
            outcome = self._run(run)
        except LeaseLost:
            outcome = "cancelled"
        seconds = time.monotonic() - began
        metrics.MAPS.labels(outcome).inc()
        metrics.SECONDS.inc(seconds)
        log.info("map", map=run.map_id, outcome=outcome, seconds=round(seconds, 3))
        return outcome

    def _run(self, run: JobRun) -> str:
        if run.attempt > MAX_ATTEMPTS:
            self.jobs.finish(run, "failed", LOST)
            return "failed"
        process = self.start(run)
        try:
            while not self.stopping.is_set():
                process.join(HEARTBEAT_SECONDS)
                if process.exitcode is not None:
                    break
                self._renew(run)
        except LeaseLost:
            log.info("the lease of a map was lost", map=run.map_id)
        finally:
            process.kill()
            process.join()
        return self._outcome(run)

    def _renew(self, run: JobRun) -> None:
        try:
            self.jobs.heartbeat(run)
            beat()
        except redis.RedisError as error:
            # A worker that takes the job over meanwhile takes the lease, which the next heartbeat notices.
            log.warning("redis does not answer", error=str(error))

    def _outcome(self, run: JobRun) -> str:
        """Return the outcome of a run whose process has ended; one that did not finish its job makes it wait again.

        Raises:
            LeaseLost: It was cancelled meanwhile, or taken over.
        """
        record = self.jobs.store.get(run.map_id)
        if record is None or record.run_id != run.id:
            self.jobs.drop(run)
            return "cancelled"
        if record.state != "running":
            return record.state
        stopped = self.stopping.is_set()
        self.jobs.release(run, count_attempt=not stopped)
        return "returned" if stopped else "lost"


def process_starter(settings: MapWorkerSettings) -> Callable[[JobRun], BaseProcess]:
    """Return what starts a process that computes a run, forked from one that has loaded what is needed for that."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([JOB_MODULE])
    # Before the first map, which need not wait for it.
    forkserver.ensure_running()

    def start(run: JobRun) -> ForkServerProcess:
        process = context.Process(target=_compute, args=(settings, run), name=f"map-{run.map_id}")
        process.start()
        return process

    return start


def _compute(settings: MapWorkerSettings, run: JobRun) -> None:
    """Compute a run, in its process."""
    # This process keeps the fork server alive, which would else end with the worker: so it watches the worker itself.
    die_with_parent(os.getppid())
    Thread(target=_exit_with_worker, name="exit-with-worker", daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logging(settings.log, "map-worker")
    from sightline_search_gateway.maps.worker.job import compute, open_context

    compute(open_context(settings), run)


def _exit_with_worker() -> None:
    worker = multiprocessing.parent_process()
    if worker is not None:
        wait([worker.sentinel])
        os._exit(1)


def run(settings: MapWorkerSettings) -> int:
    """Work until SIGTERM; returns the exit status."""
    configure_logging(settings.log, "map-worker")
    exit_if_too_old(settings.catalogue)
    stopping = stop_event()
    registry = CollectorRegistry()
    for collector in (metrics.MAPS, metrics.SECONDS, ProcessTreeCollector(os.getpid())):
        registry.register(collector)
    metrics.show_from_zero()
    try_to_serve_metrics(settings.metrics.address, settings.maps.metrics_port, registry)
    jobs = MapJobs(MapStore(settings.queue, settings.maps))
    worker = MapWorker(jobs, settings.maps.name, process_starter(settings), stopping)
    log.info("ready", name=worker.name, threads=settings.maps.threads)
    with noted_start(redis_client(settings.queue), "map-worker", worker.name):
        worker.work()
    jobs.store.close()
    return 0
