"""The groups of one collection: copies of a picture, and bursts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from qdrant_client import grpc as api
from sightline_service.batches import batched

from sightline_catalogue.copies import BURSTS, COPIES, Grouping
from sightline_catalogue.filters import Filter, conditions, has_id, is_empty, is_one_of
from sightline_catalogue.image import EQUAL, NEAR, CopyKind, Image
from sightline_catalogue.methods import SCROLL, SET_PAYLOAD
from sightline_catalogue.pages import read_distinct_page
from sightline_catalogue.payload import SEARCHABLE, read_image
from sightline_catalogue.points import BATCH_POINTS, Points
from sightline_catalogue.query_builder import WHOLE_PAYLOAD, check_limit

GroupKind = Literal["equal", "near", "burst"]
BURST: GroupKind = "burst"
GROUP_KINDS: tuple[GroupKind, ...] = (EQUAL, NEAR, BURST)
MOST_MEMBERS = 200
"""Images of one group that are read at a time."""


@dataclass(frozen=True)
class Group:
    """Several images that are copies of one picture, or a burst.

    Attributes:
        kind: `equal` where all of them have the same bytes or pixels.
        images: Of the whole payload; at most MOST_MEMBERS.
        count: How many there are.
    """

    kind: GroupKind
    images: list[Image]
    count: int


@dataclass(frozen=True)
class GroupPage:
    """A page of groups, and the cursor of the next one; None at the end."""

    groups: list[Group]
    cursor: str | None = None


class CopyGroups:
    """The groups of one collection's indexed images, of one bucket.

    Of the copies of a picture each names the first, by `copy_of`. What is written reaches only images that still have
    the bytes that are named: one that was changed meanwhile is none of them.

    Args:
        points: The collection's points.
        collection: Its name.
        bucket_id: Whose images are seen.
    """

    def __init__(self, points: Points, collection: str, bucket_id: str) -> None:
        self._points = points
        self._collection = collection
        self._searchable = is_one_of(SEARCHABLE, [bucket_id])
        self._of_bucket = is_one_of("bucket", [bucket_id])

    def of_contents(self, shas: Sequence[str]) -> dict[str, list[Image]]:
        """Return the images of some bytes, by SHA-256, those indexed first before the others; MOST_MEMBERS of all."""
        found: dict[str, list[Image]] = {}
        for some in batched(sorted(set(shas)), BATCH_POINTS):
            for image in self._read([self._searchable, is_one_of("sha256", some)], max(MOST_MEMBERS, 2 * len(some))):
                found.setdefault(image.sha256 or "", []).append(image)
        return {sha256: sorted(images, key=_age) for sha256, images in found.items()}

    def copies_of(self, sha256: str) -> list[Image]:
        """Return the images that name a picture, by its SHA-256, as the first of their group; at most MOST_MEMBERS."""
        return self._read([self._searchable, is_one_of("copy_of", [sha256])], MOST_MEMBERS)

    def set_copy(self, sha256: str, copy_of: str | None, kind: CopyKind | None) -> None:
        """Record which picture those of some bytes are copies of; None that they are none."""
        self._set([is_one_of("sha256", [sha256])], {"copy_of": _text(copy_of), "copy_kind": _text(kind)})

    def set_equal(self, ids: Sequence[str], sha256: str) -> None:
        """Record that some images of some bytes are copies of another of the same bytes."""
        fields = {"copy_of": _text(sha256), "copy_kind": _text(EQUAL)}
        self._set([has_id(ids), is_one_of("sha256", [sha256])], fields)

    def set_burst(self, shas: Sequence[str], burst: str) -> None:
        """Record that the images of some bytes are of a burst."""
        self._set([is_one_of("sha256", shas)], {"burst": _text(burst)})

    def merge_bursts(self, bursts: Sequence[str], into: str) -> None:
        """Record that some bursts are parts of another."""
        self._set([is_one_of("burst", bursts)], {"burst": _text(into)})

    def set_compared(self, ids: Sequence[str], version: int) -> None:
        """Record that the copies of some images have been looked for."""
        for some in batched(ids, BATCH_POINTS):
            self._set([has_id(some)], {"compared": api.Value(integer_value=version)})

    def page(
        self, kind: GroupKind | None, limit: int, cursor: str | None = None, filter: Filter | None = None
    ) -> GroupPage:
        """Return a page of groups, that with the newest copy first.

        Args:
            kind: Of which; None for copies of either kind. A group with near copies in it has its equal ones as a group
                of their own where `equal` ones are asked for.
            limit: At most so many, at least 1. There may be fewer, though another page follows.
            cursor: Of the page before.
            filter: Only these images.

        Raises:
            WrongCursor: It is not from an earlier page.
        """
        check_limit(limit)
        grouping = BURSTS if kind == BURST else COPIES
        matching = [self._searchable, *conditions(filter)]
        page = read_distinct_page(
            self._points, self._collection, [*matching, _is_marked(kind)], limit, cursor, grouping
        )
        if kind == EQUAL:
            matching.append(api.Condition(filter=api.Filter(must_not=[is_one_of("copy_kind", [NEAR])])))
        counts = grouping.count_others(self._points, page.images, matching)
        groups = [
            self._group(kind, grouping, image, count + 1, matching)
            for image, count in zip(page.images, counts, strict=True)
        ]
        # Of some, the others have gone.
        return GroupPage([group for group in groups if len(group.images) > 1], page.cursor)

    def _group(
        self,
        kind: GroupKind | None,
        grouping: Grouping,
        image: Image,
        count: int,
        matching: Sequence[api.Condition],
    ) -> Group:
        images = self._read([*matching, grouping.is_in([grouping.group_of(image) or ""])], MOST_MEMBERS)
        if kind is None:
            kind = NEAR if any(one.copy_kind == NEAR for one in images) else EQUAL
        return Group(kind, sorted(images, key=_age), max(count, len(images)))

    def _read(self, must: Sequence[api.Condition], limit: int) -> list[Image]:
        request = api.ScrollPoints(
            collection_name=self._collection, filter=api.Filter(must=must), limit=limit, with_payload=WHOLE_PAYLOAD
        )
        return [read_image(point.id.uuid, point.payload) for point in self._points.call(SCROLL, request).result]

    def _set(self, must: Sequence[api.Condition], fields: Mapping[str, api.Value]) -> None:
        selector = api.PointsSelector(filter=api.Filter(must=[self._of_bucket, *must]))
        request = api.SetPayloadPoints(
            collection_name=self._collection, wait=True, points_selector=selector, payload=fields
        )
        self._points.call(SET_PAYLOAD, request)


def _is_marked(kind: GroupKind | None) -> api.Condition:
    """Return the condition that an image is of a group of a kind, and not the first."""
    if kind == BURST:
        return api.Condition(filter=api.Filter(must_not=[is_empty("burst")]))
    return is_one_of("copy_kind", [EQUAL, NEAR] if kind is None else [kind])


def _age(image: Image) -> tuple[str, str]:
    return image.indexed_at.isoformat() if image.indexed_at else "", image.id


def _text(text: str | None) -> api.Value:
    return api.Value(string_value=text) if text else api.Value(null_value=api.NULL_VALUE)
