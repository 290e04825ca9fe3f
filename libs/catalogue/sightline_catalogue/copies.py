"""Copies of one picture, of which one is shown, with the number of the others; and bursts, counted the same way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from qdrant_client import grpc as api

from sightline_catalogue.filters import is_empty, is_in_copy_group, is_one_of
from sightline_catalogue.image import Image
from sightline_catalogue.points import Points

T = TypeVar("T")


@dataclass(frozen=True)
class Grouping:
    """How images are grouped.

    Attributes:
        field: What all of a group have in common.
        group_of: Returns an image's group.
        is_in: Returns the condition that an image is in one of some groups.
    """

    field: str
    group_of: Callable[[Image], str | None]
    is_in: Callable[[Sequence[str]], api.Condition]

    def count_others(self, points: Points, images: Sequence[Image], conditions: Sequence[api.Condition]) -> list[int]:
        """Return of each image how many others are in its group, of those that meet some conditions."""
        groups = sorted({group for image in images if (group := self.group_of(image))})
        if not groups:
            return [0] * len(images)
        counts = Counter(points.facet(self.field, *conditions, is_one_of(self.field, groups)))
        if self.field == "copy_of":
            # The first of each group does not say that it is.
            counts.update(points.facet("sha256", *conditions, is_empty("copy_of"), is_one_of("sha256", groups)))
        return [max(counts[self.group_of(image) or ""] - 1, 0) for image in images]


COPIES = Grouping("copy_of", lambda image: image.copy_group, is_in_copy_group)
BURSTS = Grouping("burst", lambda image: image.burst, lambda groups: is_one_of("burst", groups))


def first_of_each(items: Iterable[T], group_of: Callable[[T], str]) -> list[T]:
    """Return those items of whose group none is before them; those whose group is not known, all of them."""
    seen: set[str] = set()
    kept = []
    for item in items:
        group = group_of(item)
        if group not in seen:
            kept.append(item)
        if group:
            seen.add(group)
    return kept


def count_copies(points: Points, images: Sequence[Image], conditions: Sequence[api.Condition]) -> list[int]:
    """Return of each image how many others are in its group of copies, of those that meet some conditions."""
    return COPIES.count_others(points, images, conditions)
