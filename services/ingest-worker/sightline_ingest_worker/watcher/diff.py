"""Compares objects of the bucket with their records in the catalogue. Does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from sightline_bucket import BucketObject
from sightline_bucket.stamps import is_touched
from sightline_catalogue import FAILED, PENDING, REMOVED, State
from sightline_pictures import has_image_extension

from sightline_ingest_worker.records import refused_etag


class Change(Enum):
    """How an object differs from its record, and so what is to be done about it."""

    IGNORED = "it could not be an image"
    SAME = "indexed or failed, and unchanged since"
    PENDING = "waits for a worker already"
    NEW = "has no record"
    CHANGED = "its ETag is not that of its record"
    RETURNED = "was missing, and is there again, unchanged"
    RETRY = "is due to be tried again"
    TOUCHED = "its stamp alone is not that of its record: its bytes may be others"
    REFUSED = "cannot be read: recorded as failed"


QUEUED = frozenset({Change.NEW, Change.CHANGED, Change.RETRY})
"""The changes for which a worker has to read the object."""
RECORDED = QUEUED | {Change.REFUSED, Change.RETURNED}
"""The changes for which something has to be written into the catalogue."""


@dataclass(frozen=True, slots=True)
class RecordState:
    """The fields of a record that a comparison needs; a scan holds one for each record of the collection."""

    etag: str
    state: State
    next_try_at: datetime | None = None
    is_missing: bool = False
    stamp: str = ""
    sidecars: str | None = None

    @property
    def read_etag(self) -> str | None:
        """The ETag under which its object is known to be an image; None for one that has failed."""
        return None if self.state == FAILED else self.etag


class CouldBeImage(Protocol):
    """Says whether an object could be an image; see `Candidates.could_be_image`."""

    def __call__(self, seen: BucketObject, read_etag: str | None = None, *, has_record: bool = False) -> bool:
        """Return it."""
        ...


def is_named_as_image(seen: BucketObject, read_etag: str | None = None, *, has_record: bool = False) -> bool:
    """Return whether an object could be an image by its name; see `Candidates.could_be_image`."""
    return has_image_extension(seen.raw_name.decode("utf-8", "replace"))


def classify(seen: BucketObject, known: RecordState | None, now: datetime, *, could_be_image: bool = True) -> Change:
    """Return how an object differs from its record; `known` is None where it has none."""
    if not could_be_image:
        return Change.IGNORED
    if seen.problem is not None:
        is_recorded = known is not None and known.state == FAILED and known.etag == refused_etag(seen)
        return Change.SAME if is_recorded else Change.REFUSED
    if known is None:
        return Change.NEW
    due = known.next_try_at is not None and known.next_try_at <= now
    if known.state == PENDING:
        return Change.RETRY if due else Change.PENDING
    if known.etag != seen.etag:
        return Change.CHANGED
    if known.is_missing or known.state == REMOVED:
        return Change.RETURNED
    if known.state == FAILED and due:
        return Change.RETRY
    return Change.TOUCHED if is_touched(known.stamp, seen.stamp) else Change.SAME


def diff(
    listing: Iterable[BucketObject],
    known: dict[str, RecordState],
    identify: Callable[[bytes], str],
    now: datetime,
    could_be_image: CouldBeImage = is_named_as_image,
    note: Callable[[BucketObject, RecordState | None], None] = lambda seen, record: None,
) -> Iterator[tuple[str, BucketObject, Change]]:
    """Yield id, object and change of each object, in the order of the listing.

    Removes from `known` each object that could be an image. At the end it holds the records whose objects are gone, or
    could not be images. Calls `note` with each object before, and with the record of one that could be an image.
    """
    for seen in listing:
        image_id = identify(seen.raw_name)
        record = known.get(image_id)
        read_etag = record.read_etag if record is not None else None
        is_candidate = could_be_image(seen, read_etag, has_record=record is not None)
        if is_candidate:
            known.pop(image_id, None)
        note(seen, record if is_candidate else None)
        yield image_id, seen, classify(seen, record, now, could_be_image=is_candidate)
