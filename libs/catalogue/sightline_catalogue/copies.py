"""Images of equal bytes, of which one is shown, with the number of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from qdrant_client import grpc as api

from sightline_catalogue.filters import is_one_of
from sightline_catalogue.image import Image
from sightline_catalogue.points import Points

T = TypeVar("T")


def first_of_each(items: Iterable[T], sha256_of: Callable[[T], str]) -> list[T]:
    """Return those items whose bytes none before them has; those whose SHA-256 is not known, all of them."""
    seen: set[str] = set()
    kept = []
    for item in items:
        sha256 = sha256_of(item)
        if sha256 not in seen:
            kept.append(item)
        if sha256:
            seen.add(sha256)
    return kept


def count_copies(points: Points, images: Sequence[Image], conditions: Sequence[api.Condition]) -> list[int]:
    """Return of each image how many others have the same bytes, of those that meet some conditions."""
    shas = sorted({image.sha256 for image in images if image.sha256})
    counts = Counter(points.facet("sha256", *conditions, is_one_of("sha256", shas))) if shas else Counter[str]()
    return [max(counts[image.sha256 or ""] - 1, 0) for image in images]
