"""Compares what the bucket lists with what the catalogue knows. No input or output of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sightline_bucket import BucketObject
from sightline_pictures import has_image_extension

from sightline_ingest_worker.records import refused_etag


class Change(Enum):
    """How an object differs from its record."""

    IGNORED = "by its name it is not an image"
    SAME = "indexed or failed, and unchanged since"
    PENDING = "a worker has it to do already"
    NEW = "the catalogue lacks it"
    CHANGED = "it is another than the catalogue knows"
    RETRY = "its time to be tried again has come"
    REFUSED = "it can only fail"


QUEUED = frozenset({Change.NEW, Change.CHANGED, Change.RETRY})
"""What a worker has to read."""


@dataclass(frozen=True, slots=True)
class RecordState:
    """As much of a record as a comparison needs; a scan holds one for each record of the collection."""

    etag: str
    state: str
    next_try_at: datetime | None = None


def could_be_image(seen: BucketObject) -> bool:
    """Return whether an object by its name could be an image."""
    return has_image_extension(seen.raw_name.decode("utf-8", "replace"))


def classify(seen: BucketObject, known: RecordState | None, now: datetime) -> Change:
    """Return how an object differs from its record, if it has one."""
    if not could_be_image(seen):
        return Change.IGNORED
    if seen.problem is not None:
        is_noted = known is not None and known.state == "failed" and known.etag == refused_etag(seen)
        return Change.SAME if is_noted else Change.REFUSED
    if known is None:
        return Change.NEW
    due = known.next_try_at is not None and known.next_try_at <= now
    if known.state == "pending":
        return Change.RETRY if due else Change.PENDING
    if known.etag != seen.etag:
        return Change.CHANGED
    return Change.RETRY if known.state == "failed" and due else Change.SAME


def diff(
    listing: Iterable[BucketObject], known: dict[str, RecordState], identify: Callable[[bytes], str], now: datetime
) -> Iterator[tuple[str, BucketObject, Change]]:
    """Yield id, object and change of each object listed, as the listing goes.

    What could be an image is taken out of `known`; once the listing is through, what is left there are records whose
    objects are gone or, by their names, not images.
    """
    for seen in listing:
        image_id = identify(seen.raw_name)
        record = known.pop(image_id, None) if could_be_image(seen) else None
        yield image_id, seen, classify(seen, record, now)
