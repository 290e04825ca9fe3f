"""The images of one collection whose objects are missing: marked, held, removed; and where they may have moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from qdrant_client import grpc as api
from sightline_service.batches import batched

from sightline_catalogue.filters import has_id, is_after, is_before, is_one_of
from sightline_catalogue.image import PENDING, REMOVED, Image
from sightline_catalogue.methods import SET_PAYLOAD
from sightline_catalogue.payload import SEARCHABLE, read_image, time_text
from sightline_catalogue.points import BATCH_POINTS, Points

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS = (
    "key", "state", "sha256", "bytes", "modified_at", "indexed_at", "missing_since", "held_of", "removed_at",
)  # fmt: skip
_IS_REMOVED = is_one_of("state", [REMOVED])


class MissingImages:
    """The images of one collection whose objects are missing.

    One that is marked or held is shown and found as before. One that is removed keeps its fields and its vector, and is
    neither shown, counted nor found; `Collection.set_state` and `Collection.upsert` bring it back. Ids of images that
    do not exist are skipped.

    Args:
        points: The collection's points.
        collection: Its name.
        bucket_id: Whose images are seen.
    """

    def __init__(self, points: Points, collection: str, bucket_id: str) -> None:
        self._points = points
        self._collection = collection
        self._of_bucket = is_one_of("bucket", [bucket_id])
        self._searchable = is_one_of(SEARCHABLE, [bucket_id])

    def mark(self, ids: Sequence[str], since: datetime) -> None:
        """Record that the objects of some images are missing."""
        self._set(ids, {"missing_since": api.Value(string_value=time_text(since))})

    def unmark(self, ids: Sequence[str]) -> None:
        """Record that the objects of some images, which are not removed, are there after all."""
        self._set(ids, {"missing_since": _NULL, "held_of": _NULL})

    def hold(self, ids: Sequence[str], known: int | None) -> None:
        """Record that some images are held as part of a suspected loss.

        Args:
            ids: Of the images.
            known: Of how many images; 0 where the loss is confirmed, None where they are held no longer.
        """
        self._set(ids, {"held_of": _NULL if known is None else api.Value(integer_value=known)})

    def remove(self, ids: Sequence[str], at: datetime) -> None:
        """Remove images."""
        removed = {"state": api.Value(string_value=REMOVED), "removed_at": api.Value(string_value=time_text(at))}
        self._set(ids, {**removed, SEARCHABLE: _NULL, "reason": _NULL, "next_try_at": _NULL})

    def scan(self, removed_after: datetime, batch: int = 1000) -> Iterator[Image]:
        """Yield the images whose objects are missing, and of those that are removed the ones missing since a moment.

        Like those that the other methods yield, they have only the fields that tell whether one moved.
        """
        is_missing = is_after("missing_since", _EPOCH)
        yield from self._scroll(api.Filter(must=[self._of_bucket, is_missing], must_not=[_IS_REMOVED]), batch)
        lately = is_after("missing_since", removed_after)
        yield from self._scroll(api.Filter(must=[self._of_bucket, _IS_REMOVED, lately]), batch)

    def removed_before(self, moment: datetime, batch: int = 1000) -> Iterator[Image]:
        """Yield the images that were removed before a moment."""
        earlier = is_before("removed_at", moment)
        yield from self._scroll(api.Filter(must=[self._of_bucket, _IS_REMOVED, earlier]), batch)

    def scan_pending(self, batch: int = 1000) -> Iterator[Image]:
        """Yield the pending images: the object of one may be a missing one, moved."""
        yield from self._scroll(api.Filter(must=[self._of_bucket, is_one_of("state", [PENDING])]), batch)

    def copies(self, shas: Sequence[str], batch: int = 1000) -> Iterator[Image]:
        """Yield every indexed image with one of these SHA-256."""
        for some in batched(shas, BATCH_POINTS):
            condition = api.Filter(must=[self._searchable, is_one_of("sha256", some)])
            yield from self._scroll(condition, batch)

    def _scroll(self, condition: api.Filter, batch: int) -> Iterator[Image]:
        for points in self._points.scroll(condition, _FIELDS, batch):
            for point in points:
                yield read_image(point.id.uuid, point.payload)

    def _set(self, ids: Sequence[str], fields: Mapping[str, api.Value]) -> None:
        for some in batched(ids, BATCH_POINTS):
            selector = api.PointsSelector(filter=api.Filter(must=[has_id(some)]))
            request = api.SetPayloadPoints(
                collection_name=self._collection, wait=True, points_selector=selector, payload=fields
            )
            self._points.call(SET_PAYLOAD, request)


_NULL = api.Value(null_value=api.NULL_VALUE)
