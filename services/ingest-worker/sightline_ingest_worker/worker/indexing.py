"""Indexes keys: a plain function that runs twice without harm."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import Image

from sightline_ingest_worker.removal import remove_records
from sightline_ingest_worker.target import Target
from sightline_ingest_worker.worker.context import Stopping, WorkerContext
from sightline_ingest_worker.worker.encoding import encode
from sightline_ingest_worker.worker.item import Content, Failure, FinishedItem, IngestItem, Properties, ReadItem
from sightline_ingest_worker.worker.metrics import step
from sightline_ingest_worker.worker.reading import chunks, decode, look_up, read
from sightline_ingest_worker.worker.storing import store

LOCKED_SECONDS = 0.2


def index_keys(context: WorkerContext, keys: Sequence[str], deadline: float = math.inf) -> Counter[str]:
    """Bring the records of some keys up to date; returns what became of the keys, by `OUTCOMES`.

    Each object is read once. What is indexed already under the same ETag is left alone; equal bytes take the vector
    that is known; the others are encoded in batches, while the next are read. An object's own fault is noted in its
    record; it never fails its neighbours.

    Raises:
        EncoderError, CatalogueError, BucketUnavailable: A service does not answer. Nothing is held against an object;
            what was done before stays, and the same call may be made again.
        Stopping: The worker was told to stop, or the deadline has passed; likewise.
    """
    target = context.target()
    outcome: Counter[str] = Counter()
    left: Sequence[str] = list(dict.fromkeys(keys))
    while left:
        items, looked_up = _look_up(context, target, left)
        run = _Run(context, target, deadline)
        left, indexed = run.index(items)
        outcome += looked_up + indexed
        if left:
            # Another process is encoding the same bytes: its vector is known in a moment.
            context.pause(LOCKED_SECONDS)
    return outcome


def fail_keys(context: WorkerContext, keys: Sequence[str], reason: str) -> Counter[str]:
    """Record keys as failed without reading them; returns what became of them.

    Raises:
        EncoderError, CatalogueError, BucketUnavailable: A service does not answer.
    """
    target = context.target()
    items, outcome = _look_up(context, target, keys)
    failed = [FinishedItem(ReadItem(item, item.seen), Content(failure=Failure(reason))) for item in items]
    return outcome + store(context.bucket_id, target.collection, failed)


def _look_up(context: WorkerContext, target: Target, keys: Sequence[str]) -> tuple[list[IngestItem], Counter[str]]:
    """Return what there is to do; removes the records of what is gone, and leaves out what is done."""
    with step("look"):
        there = [item for item in context.readers.map(lambda key: look_up(context, key), keys) if item is not None]
        outcome = _forget(context, target, set(keys) - {item.key for item in there})
        records = target.collection.get([item.id for item in there])
        items = [replace(item, known=known) for item, known in zip(there, records, strict=True)]
        todo = [item for item in items if not _is_done(item)]
    return todo, outcome + Counter(unchanged=len(items) - len(todo))


def _is_done(item: IngestItem) -> bool:
    return item.known is not None and item.known.state == "indexed" and item.known.etag == item.seen.etag


def _forget(context: WorkerContext, target: Target, keys: set[str]) -> Counter[str]:
    """Remove the records of keys whose objects are gone."""
    if keys:
        remove_records(target.collection, context.thumbnails, [context.image_id(key) for key in keys])
    return Counter(gone=len(keys))


@dataclass(frozen=True)
class _Batch:
    """Objects that are encoded and stored together.

    Attributes:
        contents: By SHA-256, of the bytes that no batch before had.
        locks: The SHA-256 among them that this process has locked.
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
        """By SHA-256, the key that had these bytes first."""
        self._locked_by_other: set[str] = set()
        self._locks: set[str] = set()
        self._contents: dict[str, Content] = {}

    def index(self, items: Sequence[IngestItem]) -> tuple[list[str], Counter[str]]:
        """Index objects; returns the keys whose bytes another process is encoding, and what became of the others."""
        context, outcome = self._context, Counter[str]()
        locked_keys: list[str] = []
        under_way: deque[Future[Counter[str]]] = deque()
        try:
            for chunk in chunks(items, min(context.encode_batch, self._target.max_images)):
                context.check_stopping()
                if time.monotonic() > self._deadline:
                    raise Stopping
                present, data = self._read(chunk)
                gone = {item.key for item in chunk} - {read_item.item.key for read_item in present}
                outcome += _forget(context, self._target, gone)
                batch = self._prepare(present, data)
                locked_keys += [one.item.key for one in present if one.sha256 in self._locked_by_other]
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
        """Return those that are there, and by SHA-256 the bytes that no object before had."""
        found = [one for one in self._context.readers.map(lambda item: read(self._context, item), chunk) if one]
        data: dict[str, bytes] = {}
        for one, content in found:
            if one.sha256 is not None and one.sha256 not in self._first_keys:
                self._first_keys[one.sha256] = one.item.key
                data[one.sha256] = content
        return [one for one, _ in found], data

    def _prepare(self, present: Sequence[ReadItem], data: dict[str, bytes]) -> _Batch:
        """Find equal bytes in the catalogue, lock and decode the others."""
        known, locks = self._find_equal(list(data))
        self._locked_by_other |= data.keys() - known.keys() - locks
        first = {read_item.sha256: read_item for read_item in reversed(present) if read_item.sha256 is not None}
        needed = {
            sha256: first[sha256]
            for sha256 in data
            if sha256 not in self._locked_by_other
            and (sha256 not in known or not self._context.thumbnails.exists(sha256))
        }
        decoded = self._decode(needed, data, known)
        here = [read_item for read_item in present if read_item.sha256 not in self._locked_by_other]
        return _Batch(here, known | decoded, locks)

    def _find_equal(self, shas: Sequence[str]) -> tuple[dict[str, Content], set[str]]:
        """Return what the catalogue has of these bytes, and which of them this process may encode."""
        if not shas:
            return {}, set()
        with step("find_equal"):
            # Locked first: whoever released a lock has stored the vector before.
            locks = self._context.encode_locks.take(shas)
            self._locks.update(locks)
            equal = self._target.collection.by_sha256(shas)
        return {sha256: _known_content(image, vector) for sha256, (image, vector) in equal.items()}, locks

    def _decode(
        self, needed: Mapping[str, ReadItem], data: dict[str, bytes], known: Mapping[str, Content]
    ) -> dict[str, Content]:
        """Decode bytes, by SHA-256; lets go of each as it is decoded."""
        for sha256 in data.keys() - needed.keys():
            del data[sha256]
        if not needed:
            return {}

        def decode_one(sha256: str) -> Content:
            seen = needed[sha256].seen
            return decode(self._context, self._target, seen, sha256, data.pop(sha256), known.get(sha256))

        self._context.crash_journal.begin([read_item.item.key for read_item in needed.values()])
        try:
            contents = list(self._context.readers.map(decode_one, needed))
        except Exception:
            self._context.crash_journal.end()
            raise
        # Not in a finally: a process that is told to exit since it takes too long leaves its entry.
        self._context.crash_journal.end()
        return dict(zip(needed, contents, strict=True))

    def _finish(self, batch: _Batch) -> Counter[str]:
        """Encode what has pixels, and store all."""
        self._contents |= encode(self._context, self._target, batch.contents)
        outcome = store(
            self._context.bucket_id, self._target.collection, [self._finished(read_item) for read_item in batch.items]
        )
        self._context.encode_locks.release(batch.locks)
        self._locks.difference_update(batch.locks)
        return outcome

    def _finished(self, read_item: ReadItem) -> FinishedItem:
        if read_item.sha256 is None:
            return FinishedItem(read_item, Content(failure=read_item.item.failure))
        first = self._first_keys[read_item.sha256]
        # None at all if the batch that had the bytes first has failed.
        content = self._contents.get(read_item.sha256, Content())
        return FinishedItem(read_item, content, duplicate_of=first if first != read_item.item.key else None)


def _known_content(image: Image, vector: NDArray[np.float32]) -> Content:
    return Content(Properties.of(image), vector=vector, copied=True)
