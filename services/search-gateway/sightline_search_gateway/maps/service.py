"""What may be asked of maps: the gateway's side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock

import structlog
from sightline_bucket import BucketUnavailable, ThumbnailStore
from sightline_catalogue import Collection
from sightline_service.queues import QueueSettings

from sightline_search_gateway.maps.jobs import MapJobs
from sightline_search_gateway.maps.settings import MapSettings
from sightline_search_gateway.maps.store import MAX_KEPT, MapRecord, MapStore, NewMap
from sightline_search_gateway.maps.uploads import UploadedPicture

STALE_SECONDS = 5.0
"""How long it is believed whether images came or went."""
log = structlog.get_logger()


class TooManyWaiting(Exception):
    """As many maps wait for a worker as may."""


class NoWorker(Exception):
    """There is no map worker."""


class MapService:
    """Takes requests for maps, and forgets maps. Connects on first use; safe to use from several threads.

    Every method raises redis.RedisError where Redis does not answer.
    """

    def __init__(self, queue: QueueSettings, settings: MapSettings, thumbnails: ThumbnailStore) -> None:
        self.settings = settings
        self.store = MapStore(queue, settings)
        self.jobs = MapJobs(self.store)
        self._thumbnails = thumbnails
        self._lock = Lock()
        self._staleness: dict[str, tuple[float, int, bool]] = {}

    def request(self, new: NewMap, collection: Collection) -> tuple[MapRecord, bool]:
        """Return the map of a request, and whether it was there already; else it waits for a worker from now on.

        Raises:
            NoWorker, TooManyWaiting: It cannot be computed now.
        """
        with self._lock:
            known = self.store.get(new.id) or self._as_answered(new)
            if known is not None and known.is_active:
                return known, True
            if known is not None and known.state == "done" and not self.is_stale(known, collection):
                return known, True
            if not self.jobs.has_worker():
                raise NoWorker
            if sum(one.state == "queued" for one in self.store.all()) >= self.settings.max_waiting:
                raise TooManyWaiting
            if known is not None:
                new = replace(new, id=known.id)
            self.expire(room_for=new.expected_size, but=new.id)
            return self.jobs.submit(new, known), False

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
        """Return whether images came or went since a map was made."""
        if record.state != "done" or not record.request.is_filtered:
            return False
        if record.model["fingerprint"] != collection.model.fingerprint:
            return True
        return self._remembered(record, lambda: self._has_changed(record, collection))

    def remove(self, record: MapRecord) -> None:
        """Cancel a map that waits or is computed; forget one that is finished, with the thumbnails of its own."""
        if record.is_active and self.jobs.cancel(record):
            return
        shas = [sha for sha, _ in self.store.files(record.id)]
        self.store.delete(record.id)
        try:
            self._thumbnails.release_map(record.id, shas)
        except BucketUnavailable as error:
            log.warning("thumbnails of an upload stay", error=str(error))

    def expire(self, *, room_for: int = 0, but: str = "") -> None:
        """Forget maps that are too old, or too many."""
        for record in self.store.expired(room_for=room_for):
            if record.id != but:
                self.remove(record)

    def close(self) -> None:
        """Close the connections; a later call opens them again."""
        self.store.close()

    def _as_answered(self, new: NewMap) -> MapRecord | None:
        """Return the map whose answer repeats the request so: with the perplexity as used, not as asked."""
        fitting = (one for one in self.store.all() if one.request == new.request)
        return next((one for one in fitting if one.model["fingerprint"] == new.model["fingerprint"]), None)

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
