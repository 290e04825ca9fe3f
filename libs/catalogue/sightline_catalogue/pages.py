"""Pages of a collection, the newest image first."""

from __future__ import annotations

from collections.abc import Sequence

from qdrant_client import grpc as api

from sightline_catalogue.copies import count_copies
from sightline_catalogue.cursor import read_cursor, write_cursor
from sightline_catalogue.filters import has_id, is_one_of
from sightline_catalogue.image import Image, Page
from sightline_catalogue.methods import SCROLL
from sightline_catalogue.payload import ORDER, read_image
from sightline_catalogue.points import Points
from sightline_catalogue.query_builder import NO_PAYLOAD, WHOLE_PAYLOAD

MOST_READS = 10
"""Where copies take the places of a page, it is filled up by so many reads at most, and is shorter then."""


def read_page(
    points: Points, collection: str, conditions: Sequence[api.Condition], limit: int, cursor: str | None
) -> Page:
    """Return a page of the images that meet some conditions.

    Raises:
        WrongCursor: It is not from an earlier page.
    """
    condition = api.Filter(must=conditions)
    request = _newest_first(collection, condition, limit + 1, WHOLE_PAYLOAD)
    seen_order: int | None = None
    seen: list[str] = []
    if cursor is not None:
        seen_order, seen = read_cursor(cursor)
        request.order_by.start_from.integer = seen_order
        request.filter.must_not.append(has_id(seen))
    found = list(points.call(SCROLL, request).result)
    images = [read_image(point.id.uuid, point.payload) for point in found[:limit]]
    if len(found) <= limit:
        return Page(images)
    last = found[limit - 1].payload[ORDER].integer_value
    ties = [point.id.uuid for point in found[:limit] if point.payload[ORDER].integer_value == last]
    return Page(images, write_cursor(last, [*seen, *ties] if last == seen_order else ties))


def read_distinct_page(
    points: Points, collection: str, conditions: Sequence[api.Condition], limit: int, cursor: str | None
) -> Page:
    """Return a page as `read_page` does, of images of equal bytes the newest alone, with the number of its copies.

    Raises:
        WrongCursor: It is not from an earlier page.
    """
    images: list[Image] = []
    copies: list[int] = []
    newest: dict[str, str] = {}
    for _ in range(MOST_READS):
        page = read_page(points, collection, conditions, limit - len(images), cursor)
        cursor = page.cursor
        for image, count in zip(page.images, count_copies(points, page.images, conditions), strict=True):
            if count and image.sha256 not in newest:
                newest[image.sha256 or ""] = _newest(points, collection, conditions, image)
            if not count or newest[image.sha256 or ""] == image.id:
                images.append(image)
                copies.append(count)
        if cursor is None or len(images) == limit:
            break
    return Page(images, cursor, copies)


def _newest(points: Points, collection: str, conditions: Sequence[api.Condition], image: Image) -> str:
    """Return the id of the newest image of an image's bytes."""
    condition = api.Filter(must=[*conditions, is_one_of("sha256", [image.sha256 or ""])])
    found = points.call(SCROLL, _newest_first(collection, condition, 1, NO_PAYLOAD)).result
    # None: all of them have been deleted meanwhile.
    return found[0].id.uuid if found else image.id


def _newest_first(
    collection: str, condition: api.Filter, limit: int, payload: api.WithPayloadSelector
) -> api.ScrollPoints:
    order_by = api.OrderBy(key=ORDER, direction=api.Direction.Desc)
    return api.ScrollPoints(
        collection_name=collection, filter=condition, limit=limit, with_payload=payload, order_by=order_by
    )
