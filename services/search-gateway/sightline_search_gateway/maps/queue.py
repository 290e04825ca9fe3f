"""Maps on their way to a worker."""

from __future__ import annotations

import time

import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from sightline_service.queues import QUEUE_MAPS, TASK_MAP, QueueSettings, celery_app

from sightline_search_gateway.maps.settings import MapSettings
from sightline_search_gateway.maps.store import MOST_TRIES, SILENT_SECONDS, MapRecord, MapStore

LOST = (
    f"The map worker ended {MOST_TRIES} times while it computed this map: it may need more memory than there is. Try a "
    "smaller sample."
)
log = structlog.get_logger()


class MapQueue:
    """Hands maps to the workers. Connects on first use; safe to use from several threads.

    Every method raises redis.RedisError or kombu's OperationalError where Redis does not answer.
    """

    def __init__(self, queue: QueueSettings, settings: MapSettings) -> None:
        self.store = MapStore(queue, settings)
        self._queue = queue
        self._celery: Celery | None = None

    def send(self, record: MapRecord) -> None:
        """Queue a waiting map."""
        if self._celery is None:
            self._celery = celery_app(self._queue)
        try:
            self._celery.send_task(TASK_MAP, [record.id, record.run], queue=QUEUE_MAPS, retry=False)
        except OperationalError:
            self.store.cancel(record)
            raise

    def rescue(self, record: MapRecord) -> MapRecord:
        """Return a map; one whose worker is gone waits again, and the second time has failed."""
        if record.state != "running" or time.time() - record.beat < SILENT_SECONDS:
            return record
        if record.tries >= MOST_TRIES:
            self.store.finish(record.id, record.run, "failed", LOST)
            return self.store.get(record.id) or record
        again = self.store.hand_back(record)
        if again is None:
            return self.store.get(record.id) or record
        log.warning("a map has lost its worker and waits for another", map=record.id)
        self.send(again)
        return again

    def close(self) -> None:
        """Close the connections; a later call opens them again."""
        self.store.close()
        if self._celery is not None:
            self._celery.close()
            self._celery = None
