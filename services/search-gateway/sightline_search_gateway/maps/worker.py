"""Wires the map worker: a Celery worker of one process, which computes one map at a time."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import redis
import structlog
from celery import Celery, signals
from kombu.exceptions import OperationalError
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from pydantic import Field
from sightline_catalogue import Catalogue, CatalogueError, CatalogueSettings
from sightline_service import LogSettings, SettingsGroup, configure_logging
from sightline_service.metrics import MetricsSettings, serve_metrics
from sightline_service.parent_death import die_with_parent
from sightline_service.process_metrics import ProcessTreeCollector
from sightline_service.queues import QUEUE_MAPS, TASK_MAP, QueueSettings, celery_app, redis_client

from sightline_search_gateway.maps.metrics import MAPS, SECONDS, show_from_zero
from sightline_search_gateway.maps.naming import Namer, words_namer
from sightline_search_gateway.maps.queue import MapQueue
from sightline_search_gateway.maps.settings import MapSettings
from sightline_search_gateway.search.shared_cache import SharedCache

log = structlog.get_logger()

PRESENCE_SECONDS = 3.0
CATALOGUE_WAIT_SECONDS = 30.0
FORGOTTEN_SECONDS = 30.0
"""A map that waits for so long while the queue is empty and no map is computed has lost its message."""
AWAY = "The catalogue did not answer; try again soon."
BROKEN = "Something went wrong while it was computed; the map worker's log says more."


class MapWorkerSettings(SettingsGroup):
    """Everything that the map worker reads from the environment."""

    log: LogSettings = Field(default_factory=LogSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    queue: QueueSettings = Field(default_factory=QueueSettings)
    catalogue: CatalogueSettings = Field(default_factory=CatalogueSettings)
    maps: MapSettings = Field(default_factory=MapSettings)
    bucket_id: str = Field(default="main", validation_alias="BUCKET_ID", exclude=True)
    """Of the bucket whose pictures are meant, as everywhere."""


@dataclass(frozen=True)
class Context:
    """What a process of the worker has open."""

    queue: MapQueue
    catalogue: Catalogue
    namer: Namer
    stopping: Callable[[], bool]
    threads: int


def open_context(settings: MapWorkerSettings, stopping: Callable[[], bool]) -> Context:
    """Return what the settings name; connections open on first use."""
    catalogue = Catalogue(settings.catalogue, settings.bucket_id)
    return Context(
        queue=MapQueue(settings.queue, settings.maps),
        catalogue=catalogue,
        namer=words_namer(SharedCache(settings.queue), lambda: catalogue.current().model),
        stopping=stopping,
        threads=settings.maps.threads,
    )


def compute(context: Context, map_id: str, run_name: str) -> str:
    """Compute a map that waits under this name; return what became of it."""
    from sightline_search_gateway.maps.job import CannotMap, NotMine, Run, Stopped, make_map

    store = context.queue.store
    record = store.claim(map_id, run_name)
    if record is None:
        return "dropped"
    run = Run(store, record, context.stopping, context.threads)
    outcome, reason = "failed", BROKEN
    with run.heartbeat():
        try:
            _with_patience(context, run, lambda: make_map(run, context.catalogue.current(), context.namer))
            return "done"
        except NotMine:
            return "cancelled"
        except Stopped:
            again = store.hand_back(record, blameless=True)
            if again is not None:
                context.queue.send(again)
            return "returned"
        except CannotMap as error:
            reason = str(error)
        except CatalogueError as error:
            log.warning("the catalogue does not answer", map=map_id, error=str(error))
            reason = AWAY
        except MemoryError:
            reason = "There is not enough memory for a map of so many pictures; try a smaller sample."
        except redis.RedisError:
            # Nothing can be written; what is left as running is found by its silence.
            raise
        except Exception:
            log.exception("a map failed", map=map_id)
    store.finish(map_id, run_name, "failed", reason)
    return outcome


def _with_patience(context: Context, run: Any, call: Callable[[], None]) -> None:
    """Call until the catalogue is there, for a while."""
    deadline = time.monotonic() + CATALOGUE_WAIT_SECONDS
    while True:
        try:
            return call()
        except CatalogueError:
            if time.monotonic() > deadline:
                raise
            run.check()
            time.sleep(0.5)


def bootstrap(settings: MapWorkerSettings) -> Celery:
    """Return a Celery application with its one task; nothing is open before the first task."""
    app = celery_app(settings.queue, "sightline-maps")
    # A map takes minutes, longer than the queue waits before it hands a message out again; so a message is only a
    # hint, gone once it is read, and the store knows who computes what, and whether he lives.
    app.conf.task_acks_late = False
    stopping = multiprocessing.Value("b", 0, lock=False)
    opened: list[Context] = []

    @app.task(name=TASK_MAP)
    def make(map_id: str, run_name: str) -> None:
        if not opened:
            opened.append(open_context(settings, lambda: bool(stopping.value)))
        began = time.monotonic()
        outcome = compute(opened[0], map_id, run_name)
        MAPS.labels(outcome).inc()
        SECONDS.inc(time.monotonic() - began)
        log.info("map", map=map_id, outcome=outcome, seconds=round(time.monotonic() - began, 3))

    @signals.worker_shutting_down.connect(weak=False)
    def stop(**_: Any) -> None:
        stopping.value = 1

    return app


class Caretaker:
    """Says that a worker is there, and finds maps that nobody computes any longer."""

    def __init__(self, queue: MapQueue, client: redis.Redis) -> None:
        self._queue = queue
        self._redis = client
        self._ended = Event()
        self._thread = Thread(target=self._work, name="map-caretaker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ended.set()
        self._thread.join(timeout=10)

    def look(self) -> None:
        """Look after all maps once."""
        self._queue.store.say_worker_is_there()
        maps = [self._queue.rescue(record) for record in self._queue.store.all()]
        waiting = [one for one in maps if one.state == "queued" and time.time() - one.asked_at > FORGOTTEN_SECONDS]
        if waiting and not any(one.state == "running" for one in maps) and not self._redis.llen(QUEUE_MAPS):
            for one in waiting:
                self._queue.send(one)

    def _work(self) -> None:
        while True:
            try:
                self.look()
            except (redis.RedisError, OperationalError) as error:
                log.warning("redis does not answer", error=str(error))
            if self._ended.wait(PRESENCE_SECONDS):
                return


def run(settings: MapWorkerSettings) -> int:
    """Work until SIGTERM; returns the exit status."""
    configure_logging(settings.log, "map-worker")
    for name in ("celery.worker.strategy", "celery.app.trace", "openTSNE"):
        logging.getLogger(name).setLevel(logging.WARNING)
    app = bootstrap(settings)
    # Before the pool forks, so that no map waits for it; it starts no threads of its own.
    import sightline_search_gateway.maps.job  # noqa: F401

    show_from_zero()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    parent = os.getpid()
    registry.register(ProcessTreeCollector(parent))
    caretakers: list[Caretaker] = []

    @signals.worker_process_init.connect(weak=False)
    def end_with_parent(**_: Any) -> None:
        die_with_parent(parent)

    @signals.setup_logging.connect(weak=False)
    def keep_logging(**_: Any) -> None:
        """Keep Celery from setting up its own."""

    @signals.worker_ready.connect(weak=False)
    def ready(**_: Any) -> None:
        # Not before: their threads would be there when the pool forks.
        try:
            serve_metrics(settings.metrics.address, settings.maps.metrics_port, registry)
        except OSError as error:
            log.warning("no metrics: the port is not free", port=settings.maps.metrics_port, error=error.strerror)
        caretakers.append(Caretaker(MapQueue(settings.queue, settings.maps), redis_client(settings.queue)))
        caretakers[-1].start()
        log.info("ready", queues=[QUEUE_MAPS], threads=settings.maps.threads)

    @signals.worker_shutting_down.connect(weak=False)
    def leave(**_: Any) -> None:
        for caretaker in caretakers:
            caretaker.stop()

    worker = app.Worker(
        hostname=settings.maps.node,
        queues=[QUEUE_MAPS],
        concurrency=1,
        pool_cls="prefork",
        optimization="fair",
        loglevel=settings.log.level.upper(),
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)
