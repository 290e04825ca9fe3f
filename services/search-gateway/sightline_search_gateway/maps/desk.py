"""What may be asked of maps: the gateway's side of the queue."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from threading import Lock

import structlog
from sightline_bucket import BucketUnavailable, ThumbnailStore
from sightline_catalogue import Collection
from sightline_service.queues import QueueSettings

from sightline_search_gateway.maps.queue import MapQueue
from sightline_search_gateway.maps.request import MapRequest
from sightline_search_gateway.maps.settings import MapSettings
from sightline_search_gateway.maps.store import MAX_KEPT, MapRecord
from sightline_search_gateway.maps.uploads import UploadedPicture

STALE_SECONDS = 5.0
"""How long it is believed whether pictures came or went."""
log = structlog.get_logger()


class TooManyWaiting(Exception):
    """As many maps wait for a worker as may."""


class NoWorker(Exception):
    """No map worker has said lately that it is there."""


class MapDesk:
    """Takes requests for maps, and clears away. Connects on first use; safe to use from several threads.

    Every method raises redis.RedisError, and those that queue something kombu's OperationalError, where Redis does not
    answer.
    """

    def __init__(self, queue: QueueSettings, settings: MapSettings, thumbnails: ThumbnailStore) -> None:
        self.settings = settings
        self.queue = MapQueue(queue, settings)
        self.store = self.queue.store
        self._thumbnails = thumbnails
        self._lock = Lock()
        self._staleness: dict[str, tuple[float, int, bool]] = {}

    def ask(
        self,
        request: MapRequest,
        collection: Collection,
        total: int,
        *,
        parts: Mapping[str, bytes] | None = None,
        labels: Iterable[str] = (),
        refused: Iterable[Mapping[str, str]] = (),
    ) -> tuple[MapRecord, bool]:
        """Return the map of a request, and whether it was there already; else it waits for a worker from now on.

        Args:
            request: What to show.
            collection: Where the pictures are.
            total: How many match.
            parts: Of an upload: what the worker needs.
            labels: Of an upload.
            refused: Of an upload.

        Raises:
            NoWorker, TooManyWaiting: It cannot be computed now.
        """
        model = {"id": collection.model.id, "fingerprint": collection.model.fingerprint}
        map_id = request.map_id(collection.model.fingerprint)
        with self._lock:
            known = self.store.get(map_id) or self._as_answered(request, model["fingerprint"])
            map_id = known.id if known is not None else map_id
            if known is not None and known.is_active:
                return self.queue.rescue(known), True
            if known is not None and known.state == "done" and not self.is_stale(known, collection):
                return known, True
            if not self.store.worker_is_there():
                raise NoWorker
            if sum(one.state == "queued" for one in self.store.all()) >= self.settings.max_waiting:
                raise TooManyWaiting
            self.clear(room_for=self.store.expected_size(request, total, parts), but=map_id)
            record = self.store.put(
                map_id, request, model, total=total, before=known, parts=parts, labels=labels, refused=refused
            )
            self.queue.send(record)
            return record, False

    def keep_thumbnails(self, record: MapRecord, pictures: Iterable[UploadedPicture]) -> None:
        """Keep the thumbnails of an upload; where that cannot be done, its map is forgotten.

        Raises:
            BucketUnavailable: It cannot be done.
        """
        try:
            for picture in pictures:
                self._thumbnails.put(picture.sha256, picture.thumbnail, map_id=record.id)
        except BucketUnavailable:
            self.store.delete(record.id)
            raise

    def is_stale(self, record: MapRecord, collection: Collection) -> bool:
        """Return whether pictures came or went since a map was made."""
        if record.state != "done" or not record.request.is_filtered:
            return False
        if record.model["fingerprint"] != collection.model.fingerprint:
            return True
        return self._remembered(record, lambda: self._has_changed(record, collection))

    def remove(self, record: MapRecord) -> None:
        """Cancel a map that waits or is computed; forget one that is finished, with the thumbnails of its own."""
        if record.is_active and self.store.cancel(record):
            return
        shas = [sha for sha, _ in self.store.files(record.id)]
        self.store.delete(record.id)
        try:
            self._thumbnails.release_map(record.id, shas)
        except BucketUnavailable as error:
            log.warning("thumbnails of an upload stay", error=str(error))

    def clear(self, *, room_for: int = 0, but: str = "") -> None:
        """Forget maps that are too old, or too many."""
        for record in self.store.superfluous(room_for=room_for):
            if record.id != but:
                self.remove(record)

    def close(self) -> None:
        """Close the connections; a later call opens them again."""
        self.queue.close()

    def _as_answered(self, request: MapRequest, fingerprint: str) -> MapRecord | None:
        """Return the map whose answer repeats the request so: with the perplexity as used, not as asked."""
        fitting = (one for one in self.store.all() if one.request == request)
        return next((one for one in fitting if one.model["fingerprint"] == fingerprint), None)

    def _has_changed(self, record: MapRecord, collection: Collection) -> bool:
        wanted = record.request.filter
        if collection.count(wanted) != record.total:
            return True
        since = datetime.fromtimestamp(record.selected_at, UTC)
        return collection.count(wanted, indexed_after=since) > 0

    def _remembered(self, record: MapRecord, look: Callable[[], bool]) -> bool:
        now = time.monotonic()
        known = self._staleness.get(record.id)
        if known is not None and known[1] == record.version and (known[2] or now - known[0] < STALE_SECONDS):
            return known[2]
        found = look()
        if len(self._staleness) > 2 * MAX_KEPT:
            self._staleness.clear()
        self._staleness[record.id] = (now, record.version, found)
        return found
