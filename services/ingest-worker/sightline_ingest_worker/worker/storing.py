"""Stores finished items: their records and vectors in the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import structlog
from numpy.typing import NDArray
from sightline_catalogue import FAILED, INDEXED, PENDING, Collection, Image
from sightline_pictures import READER_VERSION
from sightline_pictures.metadata import combine, read_name

from sightline_ingest_worker.records import first_came, listed_record, refused_record
from sightline_ingest_worker.worker.context import WorkerContext
from sightline_ingest_worker.worker.item import Failure, FailureKind, FinishedItem, Properties, ReadItem
from sightline_ingest_worker.worker.metrics import step

log = structlog.get_logger()

MAX_ATTEMPTS = 5
"""How often an object is tried whose failure is transient."""
WAIT_SECONDS = 2.0
"""After so long a file that was being written is tried again."""
LONGEST_WAIT_SECONDS = 300.0
POSTPONED_SECONDS = 60.0
FIRST_UNREADABLE_SECONDS = 300.0
LONGEST_UNREADABLE_SECONDS = 12 * 3600.0
"""The pauses between tries of an object that could not be read: an archived one may have been restored, and a damaged
disk is best left in peace."""
CHANGED = "it changed while it was read; tried again soon"


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait before an object is tried again that was tried `attempts` times."""
    return timedelta(seconds=min(WAIT_SECONDS * 2 ** min(attempts, 10), LONGEST_WAIT_SECONDS))


def wait_unreadable(attempts: int) -> timedelta:
    """Return how long to wait before an object is tried again that could not be read `attempts` times."""
    return timedelta(seconds=min(FIRST_UNREADABLE_SECONDS * 2 ** min(attempts - 1, 10), LONGEST_UNREADABLE_SECONDS))


def finished_record(bucket_id: str, finished: FinishedItem, now: datetime) -> Image:
    """Return the record of an object: indexed, failed, or pending for a little longer."""
    read, content = finished.read, finished.content
    failure = content.failure
    added_at = first_came(read.item.known, now)
    if failure is not None and failure.kind is FailureKind.REFUSED:
        return refused_record(bucket_id, read.seen, added_at)
    record = replace(listed_record(bucket_id, read.seen, added_at), sha256=read.sha256, reader=READER_VERSION)
    record = _described(record, read, content.properties)
    soon = now + timedelta(seconds=WAIT_SECONDS)
    attempts = read.attempts + 1
    if read.changed:
        return replace(record, reason=CHANGED, next_try_at=soon)
    if failure is not None:
        return _failed_record(record, failure, attempts, now)
    if content.vector is None:
        return replace(record, next_try_at=soon)
    known = read.item.known
    record = replace(record, state=INDEXED, indexed_at=now, attempts=attempts, input_sha256=content.input_sha256)
    if known is not None and known.state == INDEXED and known.sha256 == read.sha256:
        # Read again: it is nothing new.
        groups = {name: getattr(known, name) for name in ("copy_of", "copy_kind", "burst", "compared")}
        return replace(record, indexed_at=known.indexed_at or now, **groups)
    return record


def _failed_record(record: Image, failure: Failure, attempts: int, now: datetime) -> Image:
    """Return the record of an object that is not indexed, with what its failure means for the next try."""
    failed = replace(record, state=FAILED, reason=failure.reason, attempts=attempts)
    match failure.kind:
        case FailureKind.INCOMPLETE:
            reason = f"{failure.reason}; is it still being written?"
            return replace(record, reason=reason, next_try_at=now + timedelta(seconds=WAIT_SECONDS))
        case FailureKind.POSTPONED:
            return replace(record, reason=failure.reason, next_try_at=now + timedelta(seconds=POSTPONED_SECONDS))
        case FailureKind.UNREADABLE:
            return replace(failed, next_try_at=now + wait_unreadable(attempts))
        case FailureKind.TRANSIENT if attempts < MAX_ATTEMPTS:
            return replace(failed, next_try_at=now + wait_after(attempts))
        case _:
            return failed


def _stays_indexed(finished: FinishedItem) -> bool:
    """Return whether an object that cannot be read now is indexed with the content that it still has."""
    failure, known = finished.content.failure, finished.read.item.known
    return (
        failure is not None
        and failure.kind is FailureKind.UNREADABLE
        and known is not None
        and known.indexed_at is not None
        and finished.read.seen.etag in ("", known.etag)
    )


def _described(record: Image, read: ReadItem, properties: Properties) -> Image:
    """Return a record with the properties of its file, and with what is known about the picture."""
    found = combine([*read.sidecar_tags, properties.tags, read_name(record.key)])
    return replace(
        record,
        width=properties.width,
        height=properties.height,
        format=properties.format,
        note=properties.note,
        taken_at=found.taken_at,
        taken_offset=found.taken_offset,
        taken_from=found.taken_from,
        place=found.place,
        camera=found.camera,
        lens=found.lens,
        rating=found.rating,
        title=found.title,
        keywords=list(found.keywords),
        sidecars=read.item.sidecar_stamp,
    )


def store(context: WorkerContext, collection: Collection, items: Sequence[FinishedItem]) -> Counter[str]:
    """Write the records and vectors of some objects; return the number of objects by outcome, one of `OUTCOMES`.

    Raises:
        CatalogueError: The catalogue does not answer.
    """
    outcome: Counter[str] = Counter()
    indexed: list[Image] = []
    vectors: list[NDArray[np.float32]] = []
    without_vector: list[Image] = []
    waiting: list[Image] = []
    unread: list[str] = []
    for finished in items:
        if _stays_indexed(finished):
            unread.append(finished.read.item.id)
            outcome["unchanged"] += 1
            continue
        record = finished_record(context.bucket_id, finished, context.clock.now())
        vector = finished.content.vector
        if vector is not None and record.state == INDEXED:
            indexed.append(record)
            vectors.append(vector)
            outcome["copied" if finished.content.copied or finished.duplicate_of else "indexed"] += 1
            continue
        (waiting if record.state == PENDING and finished.read.item.known else without_vector).append(record)
        outcome["failed" if record.state == FAILED else "waiting"] += 1
        log.info("image not indexed", key=record.key, state=record.state, reason=record.reason)
    with step("store"):
        if indexed:
            collection.upsert(indexed, np.stack(vectors))
        if without_vector:
            collection.upsert(without_vector, None)
        if unread:
            collection.set_state(unread, INDEXED)
        for record in waiting:
            # Only its state: an earlier vector stays until the new one replaces it.
            collection.set_state([record.id], PENDING, reason=record.reason, next_try_at=record.next_try_at)
    return outcome
