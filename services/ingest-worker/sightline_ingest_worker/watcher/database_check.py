"""Reads the state of the vector database's nodes, beside the watcher's loop."""

from __future__ import annotations

import threading
from contextlib import suppress

import redis
import structlog
from sightline_catalogue import Catalogue, CatalogueError, ClusterState
from sightline_service.disk_space import DATABASE
from sightline_service.full_disks import note_full_disk
from sightline_service.queues import DatabaseStatus

from sightline_ingest_worker.watcher import metrics

log = structlog.get_logger()

CHECK_SECONDS = 10.0
STOP_SECONDS = 5.0
"""Longer than a check takes."""


class DatabaseCheck:
    """Asks the nodes every CHECK_SECONDS, in a thread of its own, and writes what they say to Redis and the metrics.

    Args:
        catalogue: Whose database is asked; closed in the end.
        client: For Redis; closed in the end.
    """

    def __init__(self, catalogue: Catalogue, client: redis.Redis) -> None:
        self._catalogue = catalogue
        self._client = client
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="database-check", daemon=True)
        self._said = ""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(STOP_SECONDS)

    def check(self) -> None:
        """Ask once; that the database or Redis does not answer the watcher's loop says."""
        try:
            state = self._catalogue.cluster_state()
        except CatalogueError as error:
            log.debug("the state of the database's nodes is not known", error=str(error))
            metrics.clear_database()
            return
        status = status_of(state)
        metrics.show_database(status)
        if status.message != self._said:
            said = status.message or "all nodes of the database answer again, and no copy is missing"
            log.warning(said) if status.message else log.info(said)
            self._said = status.message
        try:
            status.write(self._client)
        except redis.RedisError as error:
            log.debug("the state of the database's nodes was not written", error=str(error))
        self._check_disk()

    def _check_disk(self) -> None:
        """Tell that the database's disk is full, though nobody writes to it now."""
        with suppress(CatalogueError):
            if (problem := self._catalogue.disk_problem()) is not None:
                note_full_disk(self._client, DATABASE, problem)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.check()
            except Exception:
                log.exception("the state of the database's nodes could not be read")
            self._stop.wait(CHECK_SECONDS)
        self._catalogue.close()
        self._client.close()


def status_of(state: ClusterState) -> DatabaseStatus:
    """Return what other services are told of the database."""
    return DatabaseStatus(
        nodes=len(state.nodes),
        nodes_alive=len(state.living),
        dead_nodes=[node.address for node in state.dead],
        shards=len(state.shards),
        shards_unavailable=state.shards_unavailable,
        copies_wanted=state.copies_wanted,
        copies_alive=state.copies_alive,
        transfers=len(state.transfers),
        message=state.summary(),
    )
