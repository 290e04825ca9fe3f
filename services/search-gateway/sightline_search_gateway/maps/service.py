"""Maps as the gateway offers them: made, found, listed, cancelled, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import numpy as np
import structlog
from cachetools import TTLCache, cachedmethod
from sightline_bucket import BucketUnavailable, ThumbnailStore
from sightline_catalogue import CatalogueError, Collection
from sightline_service.queues import QueueSettings

from sightline_search_gateway.errors import Refused, ServiceError, reasons_of
from sightline_search_gateway.ingest.upload_names import SentFile
from sightline_search_gateway.maps.jobs import MapJobs
from sightline_search_gateway.maps.points import Points
from sightline_search_gateway.maps.record import MapRecord, NewMap
from sightline_search_gateway.maps.request import FEWEST, MapRequest, too_few
from sightline_search_gateway.maps.selection import expected_count, number_labels
from sightline_search_gateway.maps.settings import MapSettings
from sightline_search_gateway.maps.store import MAX_KEPT, MapStore
from sightline_search_gateway.maps.uploads import Reader, UploadedPicture, digest_of, dump_files

STALENESS_SECONDS = 5.0
"""How long it is cached whether images came or went since a map was made."""
WAIT_SECONDS = 30
"""The Retry-After of a request that finds too many maps waiting."""
log = structlog.get_logger()


@dataclass(frozen=True)
class MapView:
    """A map as an answer shows it.

    Attributes:
        points: None where they are left out.
        columns: Of the points; the others are left out.
        stale: Whether images came or went since it was made.
    """

    record: MapRecord
    points: Points | None = None
    columns: Sequence[str] = ()
    stale: bool = False


class MapService:
    """Makes, finds and deletes maps. Connects on first use; safe to use from several threads.

    Every method raises redis.RedisError where Redis does not answer.
    """

    def __init__(self, queue: QueueSettings, settings: MapSettings, thumbnails: ThumbnailStore) -> None:
        self.settings = settings
        self.store = MapStore(queue, settings)
        self.jobs = MapJobs(self.store)
        self._thumbnails = thumbnails
        self._lock = Lock()
        self._staleness: TTLCache[tuple[str, int], bool] = TTLCache(maxsize=2 * MAX_KEPT, ttl=STALENESS_SECONDS)
        self._staleness_lock = Lock()

    def make(self, request: MapRequest, collection: Collection | None) -> tuple[MapRecord, bool]:
        """Return the map of a request, and whether it was there already; else it waits for a worker from now on.

        Raises:
            ServiceError: It cannot be made, or not now.
        """
        self._check_sample(request.sample)
        count, total = expected_count(collection, request) if collection is not None else (0, 0)
        if collection is None or count < FEWEST:
            raise too_few_error(count)
        return self._submit(NewMap.of(request, collection.model, total), collection)

    def make_of_uploads(
        self,
        files: Sequence[SentFile],
        reader: Reader,
        collection: Collection | None,
        *,
        sample: int,
        perplexity: float,
    ) -> tuple[MapRecord, bool]:
        """Return the map of pictures that are not in the collection, as `make` does.

        Raises:
            ServiceError: It cannot be made, or not now.
            BucketUnavailable: The thumbnails cannot be kept.
        """
        if len(files) < FEWEST:
            raise too_few_error(len(files), "were sent")
        if collection is None:
            detail = "The model is not known before the first picture is indexed; try again soon."
            raise ServiceError("not-ready", detail)
        self._check_worker()
        pictures, refused = reader.read(files, collection.model)
        if len(pictures) < FEWEST:
            raise too_few_error(len(pictures), "can be used", refused)
        self._check_sample(sample)
        total = len(pictures)
        sampled = set(sorted(one.sha256 for one in pictures)[:sample])
        pictures = [one for one in pictures if one.sha256 in sampled][:sample]
        request = MapRequest.of({"upload": digest_of(pictures), "sample": sample, "perplexity": perplexity})
        label, labels = number_labels([one.label for one in pictures])
        parts = {
            "points": Points([one.name for one in pictures], label).dump(),
            "vectors": np.stack([one.row for one in pictures]).astype(np.float16).tobytes(),
            "files": dump_files(pictures),
        }
        new = NewMap.of(request, collection.model, total, parts=parts, labels=labels, refused=refused)
        record, known = self._submit(new, collection)
        if not known:
            self._keep_thumbnails(record, pictures)
        return record, known

    def find(self, map_id: str) -> MapRecord:
        """Return a map.

        Raises:
            ServiceError: There is none of that id.
        """
        record = self.store.get(map_id)
        if record is None:
            detail = "There is no such map; maps are forgotten after some time. Ask for it again."
            raise ServiceError("map-not-found", detail)
        return record

    def all(self, collection: Collection | None) -> list[MapView]:
        """Return all maps without their points, the newest first."""
        self.expire()
        return [self.view(one, collection, points=False) for one in self.store.all()]

    def view(
        self, record: MapRecord, collection: Collection | None, *, points: bool = True, since: int | None = None
    ) -> MapView:
        """Return a map as an answer shows it: without points, or those columns of them that changed `since`."""
        columns = record.columns_since(since) if points else ()
        found = self.store.points(record.id) if columns else None
        return MapView(record, found, columns, self.is_stale(record, collection))

    def thumbnail(self, map_id: str, index: int) -> tuple[str, bytes]:
        """Return SHA-256 and thumbnail of a point of an uploaded map.

        Raises:
            ServiceError: There is none.
        """
        files = self.store.files(map_id)
        data = self._thumbnails.get(files[index][0], map_id=map_id) if index < len(files) else None
        if data is None:
            raise ServiceError("image-not-found", "There is no such picture; the map may have been forgotten.")
        return files[index][0], data

    def is_stale(self, record: MapRecord, collection: Collection | None) -> bool:
        """Return whether images came or went since a map was made; false where the catalogue does not answer."""
        if collection is None or record.state != "done" or not record.request.is_filtered:
            return False
        if record.model["fingerprint"] != collection.model.fingerprint:
            return True
        try:
            return self._has_changed(record, collection)
        except CatalogueError:
            return False

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

    def _submit(self, new: NewMap, collection: Collection) -> tuple[MapRecord, bool]:
        with self._lock:
            known = self.store.get(new.id) or self._with_used_perplexity(new)
            if known is not None and (
                known.is_active or (known.state == "done" and not self.is_stale(known, collection))
            ):
                return known, True
            self._check_worker()
            most = self.settings.max_waiting
            if sum(one.state == "queued" for one in self.store.all()) >= most:
                detail = f"{most} maps wait already (MAPS_MAX_WAITING); try again later, or cancel one."
                raise ServiceError("overloaded", detail, retry_after_seconds=WAIT_SECONDS)
            if known is not None:
                new = replace(new, id=known.id)
            self.expire(room_for=new.expected_size, but=new.id)
            return self.jobs.submit(new, known), False

    def _check_sample(self, sample: int) -> None:
        most = self.settings.max_points
        if sample > most:
            raise invalid("sample", f"At most {most:,} pictures on a map (MAPS_MAX_POINTS).")

    def _check_worker(self) -> None:
        if not self.jobs.has_worker():
            raise ServiceError(
                "no-map-worker",
                "No map worker is running, so that no map can be made; the rest works. Whoever runs Sightline can "
                "start sightline-map-worker.",
                retry_after_seconds=10,
            )

    def _keep_thumbnails(self, record: MapRecord, pictures: Iterable[UploadedPicture]) -> None:
        """Keep the thumbnails of an upload; where that cannot be done, its map is forgotten."""
        try:
            for picture in pictures:
                self._thumbnails.put(picture.sha256, picture.thumbnail, map_id=record.id)
        except BucketUnavailable:
            self.store.delete(record.id)
            raise

    def _with_used_perplexity(self, new: NewMap) -> MapRecord | None:
        """Return the map whose answer repeats the request like this: with the perplexity as used, not as requested."""
        fitting = (one for one in self.store.all() if one.request == new.request)
        return next((one for one in fitting if one.model["fingerprint"] == new.model["fingerprint"]), None)

    @cachedmethod(
        lambda self: self._staleness,
        key=lambda self, record, collection: (record.id, record.version),
        lock=lambda self: self._staleness_lock,
    )
    def _has_changed(self, record: MapRecord, collection: Collection) -> bool:
        matching = record.request.filter
        if collection.count(matching) != record.total:
            return True
        since = datetime.fromtimestamp(record.selected_at, UTC)
        return collection.count(matching, indexed_after=since) > 0


def invalid(name: str, detail: str) -> ServiceError:
    """Return the error of a field of the request's body."""
    return ServiceError("invalid-request", detail, errors=[{"in": "body", "name": name, "detail": detail}])


def too_few_error(count: int, verb: str = "match", refused: Sequence[Refused] | None = None) -> ServiceError:
    """Return the error of too few images for a map, with the files of an upload that could not be used."""
    members: dict[str, Any] = {} if refused is None else {"refused": refused}
    return ServiceError("too-few", f"{too_few(count, verb)} {reasons_of(refused or ())}".rstrip(), **members)
