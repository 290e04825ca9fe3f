"""Wires the service from its settings: gRPC server, collections, indexer, flusher."""

from __future__ import annotations

from threading import Event, Thread

import structlog
from prometheus_client import REGISTRY
from sightline_service.disk_metrics import DiskCollector
from sightline_service.disk_space import DATABASE, Disk

from sightline_qdrant_edge.collections_service import CollectionsService
from sightline_qdrant_edge.errors import EdgeError
from sightline_qdrant_edge.indexer import Indexer
from sightline_qdrant_edge.lock import lock_data_folder
from sightline_qdrant_edge.points_service import PointsService
from sightline_qdrant_edge.qdrant_service import QdrantService
from sightline_qdrant_edge.reserve import Reserve
from sightline_qdrant_edge.server import EdgeServer
from sightline_qdrant_edge.settings import EdgeSettings
from sightline_qdrant_edge.store import Store

THREADS = 8
"""Calls served at once."""
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
FLUSH_SECONDS = 5.0
"""How often writes are flushed to the disk."""
STOP_SECONDS = 10.0
"""How long calls in progress may take when the service stops."""

_log = structlog.get_logger()


class Edge:
    """The running service."""

    def __init__(self, settings: EdgeSettings) -> None:
        """Lock the data folder, open its collections, bind the port.

        Raises:
            DataFolderBusy: Another process holds the folder.
            EdgeError: The engine cannot read its files.
            OSError: The folder cannot be used.
            RuntimeError: The port is taken.
        """
        self._settings = settings
        self._lock = lock_data_folder(settings.data_dir)
        try:
            disk = Disk(DATABASE, settings.data_dir, settings.disk.reserve_mb)
            self._reserve = Reserve(settings.data_dir, disk)
            self._reserve.release_if_exhausted()
            self.store = Store(settings.data_dir, settings.cache_mb * 2**20, self._reserve)
            self._reserve.hold()
            REGISTRY.register(DiskCollector(disk))
            self._server = EdgeServer(
                {
                    "Points": PointsService(self.store, self._reserve),
                    "Collections": CollectionsService(self.store, settings.index_threshold, self._reserve),
                    "Qdrant": QdrantService(),
                },
                address=settings.address,
                port=settings.port,
                threads=THREADS,
                max_message_bytes=MAX_MESSAGE_BYTES,
                api_key=settings.api_key,
                read_only_api_key=settings.read_only_api_key,
            )
        except BaseException:
            self._lock.release()
            raise
        self._indexer = Indexer(self.store, self._reserve, settings.index_threshold, settings.segment_mb)
        self._stopping = Event()
        self._flusher = Thread(target=self._flush_regularly, name="flusher", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.port

    def start(self) -> None:
        """Serve calls, build indexes and flush in the background."""
        self._server.start()
        self._indexer.start()
        self._flusher.start()

    def stop(self) -> None:
        """Refuse new calls, finish those in progress, flush, and unlock the folder."""
        self._server.stop(STOP_SECONDS)
        self._stopping.set()
        self._flusher.join()
        self._indexer.stop()
        self._reserve.release_if_exhausted()
        self.store.close()
        self._lock.release()

    def _flush_regularly(self) -> None:
        failed: dict[str, str] = {}
        while not self._stopping.wait(FLUSH_SECONDS):
            if self._reserve.problem is None:
                self._reserve.hold()
            for collection in self.store.collections():
                try:
                    collection.flush()
                    failed.pop(collection.name, None)
                except (EdgeError, OSError) as error:
                    # Tried again; the engine's log has what is not flushed.
                    if failed.get(collection.name) != type(error).__name__:
                        _log.error("flush failed", collection=collection.name, error=str(error))
                    failed[collection.name] = type(error).__name__
