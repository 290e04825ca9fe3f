"""Indexes keys: idempotent, and independent of Celery."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace

from sightline_bucket.stamps import is_touched
from sightline_catalogue import INDEXED, PENDING

from sightline_ingest_worker.removal import mark_missing
from sightline_ingest_worker.target import Target
from sightline_ingest_worker.worker.context import Stopping, WorkerContext
from sightline_ingest_worker.worker.encoding import encode
from sightline_ingest_worker.worker.grouping import group
from sightline_ingest_worker.worker.item import (
    Content,
    Failure,
    FailureKind,
    FinishedItem,
    IngestItem,
    ReadItem,
    is_outdated,
)
from sightline_ingest_worker.worker.metrics import step
from sightline_ingest_worker.worker.reading import POSTPONED, chunks, decode, known_content, look_up, read
from sightline_ingest_worker.worker.sidecars import SidecarFinder
from sightline_ingest_worker.worker.storing import store

LOCKED_SECONDS = 0.2


def index_keys(context: WorkerContext, keys: Sequence[str], deadline: float = math.inf) -> Counter[str]:
    """Bring the records of some keys up to date; return the number of keys by outcome, one of `OUTCOMES`.

    Each object is read once. An object that is indexed under the same ETag is skipped, unless its stamp says that its
    bytes may be others: then they are read and compared. Equal bytes copy the vector in the catalogue; the others are
    encoded in batches, while the next are read. What is wrong with one object is recorded with it alone.

    Raises:
        EncoderError, CatalogueError, BucketUnavailable: A service does not answer. No object is recorded as failed for
            it; what was stored stays, and the call may be repeated.
        Stopping: The worker is stopping, or the deadline has passed; likewise.
    """
    target = context.target()
    outcome: Counter[str] = Counter()
    left: Sequence[str] = list(dict.fromkeys(keys))
    while left:
        items, looked_up = _look_up(context, target, left)
        left, indexed = _Run(context, target, deadline).index(items)
        outcome += looked_up + indexed
        if left:
            # Another process is encoding the same bytes: its vector is known in a moment.
            context.pause(LOCKED_SECONDS)
    return outcome


def fail_keys(
    context: WorkerContext, keys: Sequence[str], reason: str, kind: FailureKind = FailureKind.LASTING
) -> Counter[str]:
    """Record keys as failed without reading them; return the number of keys by outcome.

    Args:
        context: The process's context.
        keys: The keys.
        reason: Why.
        kind: What it means for the next try.

    Raises:
        EncoderError, CatalogueError, BucketUnavailable: A service does not answer.
    """
    target = context.target()
    items, outcome = _look_up(context, target, keys)
    failed = [FinishedItem(ReadItem(item, item.seen), Content(failure=Failure(reason, kind))) for item in items]
    return outcome + store(context, target.collection, failed)


def _look_up(context: WorkerContext, target: Target, keys: Sequence[str]) -> tuple[list[IngestItem], Counter[str]]:
    """Return the items to index; marks the records of objects that are gone, and skips what is up to date."""
    with step("look_up"):
        present = [item for item in context.readers.map(lambda key: look_up(context, key), keys) if item is not None]
        outcome = _forget(context, target, set(keys) - {item.key for item in present})
        records = target.collection.get([item.id for item in present])
        items = [replace(item, known=known) for item, known in zip(present, records, strict=True)]
        finder = SidecarFinder(context.bucket, context.sidecar_folders)
        items = list(context.readers.map(lambda item: _with_sidecars(item, finder), items))
        are_done = [_is_up_to_date(item) and _has_its_sidecars(item) for item in items]
    todo = [item for item, is_done in zip(items, are_done, strict=True) if not is_done]
    done = [item.known for item, is_done in zip(items, are_done, strict=True) if is_done and item.known is not None]
    group(target.collection, context.sketches, done)
    return todo, outcome + Counter(unchanged=len(items) - len(todo))


def _is_up_to_date(item: IngestItem) -> bool:
    known = item.known
    return (
        known is not None
        and known.state == INDEXED
        and known.etag == item.seen.etag
        and not (_is_touched(item) or is_outdated(known.reader))
    )


def _is_touched(item: IngestItem) -> bool:
    """Return whether an object is to be compared with its record, which is indexed or failed, under the same ETag."""
    known = item.known
    if known is None or known.state == PENDING or known.etag != item.seen.etag:
        return False
    return is_touched(known.stamp, item.seen.stamp)


def _is_confirmed(read_item: ReadItem) -> bool:
    """Return whether an object that was to be compared has the bytes of its record."""
    known = read_item.item.known
    return known is not None and _is_touched(read_item.item) and known.sha256 == read_item.sha256 is not None


def _with_sidecars(item: IngestItem, finder: SidecarFinder) -> IngestItem:
    return replace(item, sidecars=finder.find(item.key, is_up_to_date=_is_up_to_date(item)))


def _has_its_sidecars(item: IngestItem) -> bool:
    """Return whether a picture's sidecars are those that it was indexed with."""
    return item.known is not None and item.known.sidecars == item.sidecar_stamp


def _forget(context: WorkerContext, target: Target, keys: set[str]) -> Counter[str]:
    """Mark the records of keys whose objects are gone; what becomes of them the watcher decides."""
    if keys:
        ids = [context.image_id(key) for key in keys]
        mark_missing(target.collection, context.thumbnails, ids, context.clock.now())
    return Counter(gone=len(keys))


@dataclass(frozen=True)
class _Batch:
    """Objects that are encoded and stored together.

    Attributes:
        contents: By SHA-256, for the bytes that no earlier batch had.
        locks: Those SHA-256 among them that this process has locked.
    """

    items: Sequence[ReadItem]
    contents: Mapping[str, Content]
    locks: set[str]


class _Run:
    """One pass over a task's objects, a batch at a time: read, find equal bytes, decode; then encode and store.

    The last two are done by the sender's thread, one batch after the other, while the next batch is read. Only that
    thread uses `_contents`.
    """

    def __init__(self, context: WorkerContext, target: Target, deadline: float) -> None:
        self._context = context
        self._target = target
        self._deadline = deadline
        self._first_keys: dict[str, str] = {}
        """The first key with these bytes, by SHA-256."""
        self._locked_by_other: set[str] = set()
        self._locks: set[str] = set()
        self._contents: dict[str, Content] = {}
        self._is_slow = False
        """Whether decoding something was postponed."""

    def index(self, items: Sequence[IngestItem]) -> tuple[list[str], Counter[str]]:
        """Index objects; return the keys whose bytes another process is encoding, and the outcomes of the others."""
        context, outcome = self._context, Counter[str]()
        locked_keys: list[str] = []
        under_way: deque[Future[Counter[str]]] = deque()
        try:
            for chunk in chunks(items, min(context.encode_batch, self._target.max_images)):
                context.check_stopping()
                if time.monotonic() > self._deadline:
                    if not self._is_slow:
                        raise Stopping
                    # Repeated, the task would begin with the slow ones again: those after it would wait for them.
                    chunk = [replace(item, failure=item.failure or POSTPONED) for item in chunk]
                present, data = self._read(chunk)
                outcome["unchanged"] += self._confirm(present)
                gone = {item.key for item in chunk} - {read_item.item.key for read_item in present}
                outcome += _forget(context, self._target, gone)
                present = [read_item for read_item in present if not _is_confirmed(read_item)]
                batch = self._prepare(present, data)
                locked_keys += [each.item.key for each in present if each.sha256 in self._locked_by_other]
                under_way.append(context.sender.submit(self._finish, batch))
                if len(under_way) > 1:
                    outcome += self._result(under_way.popleft())
            while under_way:
                outcome += self._result(under_way.popleft())
        finally:
            for future in under_way:
                future.cancel()
            context.encode_locks.release(list(self._locks))
        return locked_keys, outcome

    def _result(self, future: Future[Counter[str]]) -> Counter[str]:
        while True:
            try:
                return future.result(timeout=0.2)
            except FutureTimeout:
                if future.done():
                    raise
                self._context.check_stopping()

    def _read(self, chunk: Sequence[IngestItem]) -> tuple[list[ReadItem], dict[str, bytes]]:
        """Return the objects that exist, and by SHA-256 the bytes that no earlier object had."""
        found = [pair for pair in self._context.readers.map(lambda item: read(self._context, item), chunk) if pair]
        data: dict[str, bytes] = {}
        for read_item, content in found:
            if _is_confirmed(read_item):
                continue
            if read_item.sha256 is not None and read_item.sha256 not in self._first_keys:
                self._first_keys[read_item.sha256] = read_item.item.key
                data[read_item.sha256] = content
        return [read_item for read_item, _ in found], data

    def _confirm(self, present: Sequence[ReadItem]) -> int:
        """Record of objects that have the bytes of their records that they have been compared; return how many."""
        confirmed = [read_item for read_item in present if _is_confirmed(read_item)]
        for read_item in confirmed:
            self._target.collection.set_stamp([read_item.item.id], read_item.seen.stamp)
        return len(confirmed)

    def _prepare(self, present: Sequence[ReadItem], data: dict[str, bytes]) -> _Batch:
        """Find equal bytes in the catalogue, lock and decode the others."""
        known, locks = self._find_equal(list(data))
        self._locked_by_other |= data.keys() - known.keys() - locks
        first = {read_item.sha256: read_item for read_item in reversed(present) if read_item.sha256 is not None}
        needed = {sha256: first[sha256] for sha256 in data if sha256 not in self._locked_by_other}
        decoded = self._decode(needed, data, known)
        unlocked = [read_item for read_item in present if read_item.sha256 not in self._locked_by_other]
        return _Batch(unlocked, known | decoded, locks)

    def _find_equal(self, shas: Sequence[str]) -> tuple[dict[str, Content], set[str]]:
        """Return the contents that the catalogue has of these bytes, and those bytes that this process has locked."""
        if not shas:
            return {}, set()
        with step("find_equal"):
            # Locked first: a process stores the vector before it releases its lock.
            locks = self._context.encode_locks.acquire(shas)
            self._locks.update(locks)
            equal = self._target.collection.by_sha256(shas)
        known = {sha256: known_content(image, vector) for sha256, (image, vector) in equal.items()}
        return known, locks

    def _decode(
        self, needed: Mapping[str, ReadItem], data: dict[str, bytes], known: Mapping[str, Content]
    ) -> dict[str, Content]:
        """Have bytes decoded, by SHA-256. Frees each as soon as that is done."""
        for sha256 in data.keys() - needed.keys():
            del data[sha256]
        if not needed:
            return {}

        def decode_one(sha256: str) -> Content:
            seen, equal = needed[sha256].seen, known.get(sha256)
            return decode(self._context, self._target, seen, sha256, data.pop(sha256), equal, self._deadline)

        contents = list(self._context.readers.map(decode_one, needed))
        self._is_slow |= any(content.failure is POSTPONED for content in contents)
        return dict(zip(needed, contents, strict=True))

    def _finish(self, batch: _Batch) -> Counter[str]:
        """Encode the contents with pixels, and store the batch."""
        self._contents |= encode(self._context, self._target, batch.contents)
        finished = [self._finished(read_item) for read_item in batch.items]
        outcome = store(self._context, self._target.collection, finished)
        self._context.encode_locks.release(batch.locks)
        self._locks.difference_update(batch.locks)
        return outcome

    def _finished(self, read_item: ReadItem) -> FinishedItem:
        if read_item.sha256 is None:
            return FinishedItem(read_item, Content(failure=read_item.item.failure))
        first = self._first_keys[read_item.sha256]
        # Without an entry, the batch that had these bytes first has failed.
        content = self._contents.get(read_item.sha256, Content())
        return FinishedItem(read_item, content, duplicate_of=first if first != read_item.item.key else None)
