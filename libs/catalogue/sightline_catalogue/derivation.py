"""Derives the fields that points of an older version lack, and says until then which filters cannot be answered."""

from __future__ import annotations

import time
from collections.abc import Callable

from qdrant_client import grpc as api

from sightline_catalogue.derived import DERIVED, DERIVED_FIELDS, SOURCES, VERSION, write_derived
from sightline_catalogue.errors import NotDerived
from sightline_catalogue.filters import Filter, has_id, is_number
from sightline_catalogue.methods import SCROLL, SET_PAYLOAD
from sightline_catalogue.payload import read_image, time_text
from sightline_catalogue.points import Points
from sightline_catalogue.query_builder import payload_of

AT_ONCE = 100
"""Points that are read at a time."""
AGAIN_SECONDS = 5.0
"""For so long what is left is not counted again."""


class Derivation:
    """Derives the fields of a collection's older points from their other fields; no file is read.

    Safe to share between threads, of which one at a time may `fill`: one pass after another, until one finds nothing.

    Args:
        points: The collection's points.
        collection: Its name.
        of_bucket: The condition of the bucket's points.
        clock: Tells seconds.
    """

    def __init__(
        self, points: Points, collection: str, of_bucket: api.Condition, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._points = points
        self._collection = collection
        self._of_bucket = of_bucket
        self._clock = clock
        self._is_done = False
        self._offset: api.PointId | None = None
        self._found = 0
        self._counted_at: float | None = None
        self._left = 0

    def fill(self, seconds: float) -> bool:
        """Derive the fields of points that lack them, for about so many seconds; return whether there may be more."""
        until = self._clock() + seconds
        while not self._is_done and self._clock() < until:
            request = api.ScrollPoints(
                collection_name=self._collection,
                filter=self._older,
                limit=AT_ONCE,
                with_payload=payload_of([*SOURCES, *DERIVED_FIELDS]),
                offset=self._offset,
            )
            response = self._points.call(SCROLL, request)
            for point in response.result:
                self._derive(point)
            # From where it is: the database looks at all points before again.
            self._found += len(response.result)
            self._offset = response.next_page_offset if response.HasField("next_page_offset") else None
            if self._offset is None:
                self._is_done, self._found = not self._found, 0
        return not self._is_done

    def check(self, filter: Filter | None) -> None:
        """Check that a filter finds all that it should.

        Raises:
            NotDerived: It goes by fields that some points still lack.
        """
        if filter is not None and _uses_derived(filter):
            self.check_derived()

    def check_derived(self) -> None:
        """Check that all points have their derived fields.

        Raises:
            NotDerived: Some still lack them.
        """
        if self._is_done:
            return
        if self._counted_at is None or self._clock() >= self._counted_at + AGAIN_SECONDS:
            self._left = self._points.count(self._older)
            self._counted_at = self._clock()
            self._is_done = not self._left
        if self._left:
            raise NotDerived(
                "Names, words, cameras, lenses, shapes, pixels, years and when pictures were added can be asked for "
                f"once they are noted of {self._left:,} more pictures, which an older version indexed; this goes on in "
                "the background."
            )

    @property
    def _older(self) -> api.Filter:
        """Points of any state whose fields were not derived by this version."""
        return api.Filter(must=[self._of_bucket], must_not=[is_number(DERIVED, VERSION)])

    def _derive(self, point: api.RetrievedPoint) -> None:
        # Not of one that is written meanwhile: it has them.
        selected = api.Filter(must=[has_id([point.id.uuid]), *self._older.must], must_not=self._older.must_not)
        request = api.SetPayloadPoints(
            collection_name=self._collection, wait=True, points_selector=api.PointsSelector(filter=selected)
        )
        image = read_image(point.id.uuid, point.payload)
        write_derived(request.payload, image)
        if image.added_at is None and image.indexed_at is not None:
            request.payload["added_at"].string_value = time_text(image.indexed_at)
        for field in DERIVED_FIELDS:
            if field in point.payload and field not in request.payload:
                request.payload[field].null_value = api.NULL_VALUE
        self._points.call(SET_PAYLOAD, request)


def _uses_derived(filter: Filter) -> bool:
    own = (
        *(filter.names, filter.words, filter.cameras, filter.lenses, filter.shapes),
        *(filter.pixels, filter.added_after, filter.added_before),
    )
    return any(own) or (filter.excluded is not None and _uses_derived(filter.excluded))
