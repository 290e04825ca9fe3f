"""Pages of a collection, the newest image first."""

from __future__ import annotations

from collections.abc import Sequence

from qdrant_client import grpc as api

from sightline_catalogue.copies import COPIES, Grouping
from sightline_catalogue.cursor import read_cursor, write_cursor
from sightline_catalogue.filters import has_id
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
    points: Points,
    collection: str,
    conditions: Sequence[api.Condition],
    limit: int,
    cursor: str | None,
    grouping: Grouping = COPIES,
) -> Page:
    """Return a page as `read_page` does, of each group only the newest image, with the number of the others.

    Raises:
        WrongCursor: It is not from an earlier page.
    """
    images: list[Image] = []
    others: list[int] = []
    newest: dict[str, str] = {}
    for _ in range(MOST_READS):
        page = read_page(points, collection, conditions, limit - len(images), cursor)
        cursor = page.cursor
        for image, count in zip(page.images, grouping.count_others(points, page.images, conditions), strict=True):
            group = grouping.group_of(image) or ""
            if count and group not in newest:
                newest[group] = _newest(points, collection, [*conditions, grouping.is_in([group])], image)
            if not count or newest[group] == image.id:
                images.append(image)
                others.append(count)
        if cursor is None or len(images) == limit:
            break
    return Page(images, cursor, others)


def _newest(points: Points, collection: str, conditions: Sequence[api.Condition], image: Image) -> str:
    """Return the id of the newest image of an image's group."""
    found = points.call(SCROLL, _newest_first(collection, api.Filter(must=conditions), 1, NO_PAYLOAD)).result
    # None: all of them have been deleted meanwhile.
    return found[0].id.uuid if found else image.id


def _newest_first(
    collection: str, condition: api.Filter, limit: int, payload: api.WithPayloadSelector
) -> api.ScrollPoints:
    order_by = api.OrderBy(key=ORDER, direction=api.Direction.Desc)
    return api.ScrollPoints(
        collection_name=collection, filter=condition, limit=limit, with_payload=payload, order_by=order_by
    )
