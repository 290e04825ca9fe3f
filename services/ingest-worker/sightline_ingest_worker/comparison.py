"""Compares what the bucket lists with what the catalogue knows. No input or output of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sightline_bucket import BucketObject
from sightline_pictures import has_image_extension

from sightline_ingest_worker.points import refused_etag


class Verdict(Enum):
    """What is to be done about one object."""

    IGNORED = "by its name it is no picture"
    SAME = "indexed or failed, and unchanged since"
    PENDING = "a worker has it to do already"
    NEW = "the catalogue lacks it"
    CHANGED = "it is another than the catalogue knows"
    AGAIN = "its time to be tried again has come"
    REFUSED = "it can only fail"


QUEUED = frozenset({Verdict.NEW, Verdict.CHANGED, Verdict.AGAIN})
"""What a worker has to read."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue knows of one object."""

    etag: str
    state: str
    next_try_at: datetime | None = None


def could_be_picture(seen: BucketObject) -> bool:
    """Return whether an object by its name could be a picture."""
    return has_image_extension(seen.raw_name.decode("utf-8", "replace"))


def judge(seen: BucketObject, known: Known | None, now: datetime) -> Verdict:
    """Return what is to be done about an object, given its point or that it has none."""
    if not could_be_picture(seen):
        return Verdict.IGNORED
    if seen.problem is not None:
        told = known is not None and known.state == "failed" and known.etag == refused_etag(seen)
        return Verdict.SAME if told else Verdict.REFUSED
    if known is None:
        return Verdict.NEW
    due = known.next_try_at is not None and known.next_try_at <= now
    if known.state == "pending":
        return Verdict.AGAIN if due else Verdict.PENDING
    if known.etag != seen.etag:
        return Verdict.CHANGED
    return Verdict.AGAIN if known.state == "failed" and due else Verdict.SAME


def compare(
    listing: Iterable[BucketObject],
    known: dict[str, Known],
    identify: Callable[[bytes], str],
    now: datetime,
) -> Iterator[tuple[str, BucketObject, Verdict]]:
    """Yield id, object and verdict of each object listed, as the listing goes.

    What could be a picture is taken out of `known`; once the listing is through, what is left there are points whose
    objects are gone or, by their names, no pictures.
    """
    for seen in listing:
        point_id = identify(seen.raw_name)
        entry = known.pop(point_id, None) if could_be_picture(seen) else None
        yield point_id, seen, judge(seen, entry, now)
