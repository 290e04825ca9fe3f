"""Indexes keys: a plain function that runs twice without harm."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

import numpy as np
import structlog
from sightline.encoder.client import BULK, InvalidItem, ItemError, Overloaded, RawPixels
from sightline_catalogue import Image

from sightline_ingest_worker.context import Context, Stopping, Target
from sightline_ingest_worker.metrics import WAITS, step
from sightline_ingest_worker.points import finished_point
from sightline_ingest_worker.reading import chunks, decode, look, read
from sightline_ingest_worker.removal import remove_points
from sightline_ingest_worker.work import Failure, Outcome, Work

log = structlog.get_logger()

OVERLOADED_TRIES = 30
ENCODE_TIMEOUT_SECONDS = 30.0
ELSEWHERE_SECONDS = 0.2


def index_keys(context: Context, keys: Sequence[str], deadline: float = math.inf) -> Outcome:
    """Bring the points of some keys up to date.

    Each object is read once. What is indexed already under the same ETag is left alone; equal bytes take the vector
    that is known; the others are encoded in batches, while the next are read. A picture's own fault is recorded at
    its point; it never fails its neighbours.

    Raises:
        EncoderError, CatalogueError, BucketUnavailable: A service is away. Nothing is recorded against a picture;
            what was done before stays, and the same call may be made again.
        Stopping: The worker was told to stop, or the deadline has passed; likewise.
    """
    target = context.target()
    outcome = Outcome()
    left = list(dict.fromkeys(keys))
    while left:
        left = _index(context, target, left, deadline, outcome)
        if left:
            # Another process is encoding the same bytes: its vector is known in a moment.
            context.pause(ELSEWHERE_SECONDS)
    return outcome


def _index(context: Context, target: Target, keys: Sequence[str], deadline: float, outcome: Outcome) -> list[str]:
    """Index keys; returns those whose bytes another process is encoding."""
    todo = _look(context, target, keys, outcome)
    first_of: dict[str, Work] = {}
    elsewhere: list[str] = []
    under_way: deque[Future[Outcome]] = deque()
    try:
        for chunk in chunks(todo, min(context.encode_batch, target.max_images)):
            context.check_stopping()
            if time.monotonic() > deadline:
                raise Stopping
            ready = _prepare(context, target, chunk, first_of, outcome)
            elsewhere += [work.key for work in ready if work.is_elsewhere]
            here = [work for work in ready if not work.is_elsewhere]
            under_way.append(context.sender.submit(_finish, context, target, here))
            if len(under_way) > 1:
                outcome += _result(context, under_way.popleft())
        while under_way:
            outcome += _result(context, under_way.popleft())
    finally:
        for future in under_way:
            future.cancel()
        context.claims.release([sha256 for sha256, work in first_of.items() if work.claimed])
    return elsewhere


def fail_keys(context: Context, keys: Sequence[str], reason: str) -> Outcome:
    """Record keys as failed without reading them.

    Raises:
        EncoderError, CatalogueError, BucketUnavailable: A service is away.
    """
    target = context.target()
    outcome = Outcome()
    todo = _look(context, target, keys, outcome)
    for work in todo:
        work.failure = Failure(reason)
    outcome += _finish(context, target, todo)
    return outcome


def _result(context: Context, future: Future[Outcome]) -> Outcome:
    while True:
        try:
            return future.result(timeout=0.2)
        except FutureTimeout:
            if future.done():
                raise
            context.check_stopping()


def _look(context: Context, target: Target, keys: Sequence[str], outcome: Outcome) -> list[Work]:
    """Return what there is to do; forgets what is gone, and leaves out what is done."""
    with step("look"):
        works = [work for work in context.readers.map(lambda key: look(context, key), keys) if work is not None]
        gone = set(keys) - {work.key for work in works}
        if gone:
            _forget(context, target, gone, outcome)
        todo = []
        for work, known in zip(works, target.collection.get([work.id for work in works]), strict=True):
            if known is not None and known.state == "indexed" and known.etag == work.seen.etag:
                outcome.add("unchanged")
                continue
            work.known = known
            todo.append(work)
    return todo


def _forget(context: Context, target: Target, keys: set[str], outcome: Outcome) -> None:
    remove_points(target.collection, context.thumbnails, [context.image_id(key) for key in keys])
    outcome.add("gone", len(keys))


def _prepare(
    context: Context, target: Target, chunk: list[Work], first_of: dict[str, Work], outcome: Outcome
) -> list[Work]:
    """Read, find equal bytes, decode."""
    readable = [work for work in chunk if work.failure is None]
    there = list(context.readers.map(lambda work: read(context, work), readable))
    gone = {work.key for work, found in zip(readable, there, strict=True) if not found}
    if gone:
        _forget(context, target, gone, outcome)
    ready = [work for work in chunk if work.key not in gone]
    fresh: dict[str, Work] = {}
    for work in ready:
        if work.sha256 is None or work.changed:
            continue
        work.twin = first_of.get(work.sha256)
        if work.twin is None:
            first_of[work.sha256] = fresh[work.sha256] = work
        work.data = work.data if work.twin is None else b""
    with step("find_equal"):
        # Claimed first: whoever gave a claim back has stored the vector before.
        claimed = context.claims.take(list(fresh)) if fresh else set()
        equal = target.collection.by_sha256(list(fresh)) if fresh else {}
    for sha256, (image, vector) in equal.items():
        fresh[sha256].take_facts(image)
        fresh[sha256].vector = vector
        fresh[sha256].copied = True
    for sha256, work in fresh.items():
        work.claimed = sha256 in claimed
        work.elsewhere = not work.claimed and not work.copied
    here = [work for work in fresh.values() if not work.elsewhere]
    needed = [work for work in here if not _is_complete(context, work)]
    if needed:
        context.journal.begin([work.key for work in needed])
        try:
            list(context.readers.map(lambda work: decode(context, target, work), needed))
        except Exception:
            context.journal.end()
            raise
        # Not in a finally: a process that is told to exit since it takes too long leaves its entry.
        context.journal.end()
    return ready


def _is_complete(context: Context, work: Work) -> bool:
    """Return whether vector and thumbnail are known; drops the bytes if so."""
    if work.vector is None or work.sha256 is None or not context.thumbnails.exists(work.sha256):
        return False
    work.data = b""
    return True


def _finish(context: Context, target: Target, works: list[Work]) -> Outcome:
    """Encode what has pixels, and store all."""
    _encode(context, target, [work for work in works if work.pixels is not None])
    for work in works:
        if work.twin is not None:
            _take_from_twin(work, work.twin)
    outcome = _store(context, target, works)
    claimed = [work for work in works if work.claimed]
    context.claims.release([work.sha256 for work in claimed if work.sha256])
    for work in claimed:
        work.claimed = False
    return outcome


def _store(context: Context, target: Target, works: list[Work]) -> Outcome:
    outcome = Outcome()
    with_vector: list[Image] = []
    vectors: list[np.ndarray] = []
    without: list[Image] = []
    waiting: list[Image] = []
    for work in works:
        image = finished_point(context, work)
        if work.vector is not None and image.state == "indexed":
            with_vector.append(image)
            vectors.append(work.vector)
            outcome.add("copied" if work.copied else "indexed")
        else:
            if image.state == "pending" and work.known is not None:
                waiting.append(image)
            else:
                without.append(image)
            outcome.add("failed" if image.state == "failed" else "waiting")
            log.info("picture not indexed", key=work.key, state=image.state, reason=image.reason)
    with step("store"):
        if with_vector:
            target.collection.upsert(with_vector, np.stack(vectors))
        if without:
            target.collection.upsert(without, None)
        for image in waiting:
            # It keeps the vector that it may have, until the new one is there.
            target.collection.set_state([image.id], "pending", reason=image.reason, next_try_at=image.next_try_at)
    return outcome


def _take_from_twin(work: Work, twin: Work) -> None:
    work.take_facts(twin)
    work.vector = twin.vector
    work.copied = twin.vector is not None
    work.failure = twin.failure


def _encode(context: Context, target: Target, works: list[Work]) -> None:
    """Fill in vectors, or each picture's own failure; waits while the encoder is busy."""
    if not works:
        return
    pixels = [RawPixels(work.pixels, preprocessed=True) for work in works if work.pixels is not None]
    for left in reversed(range(OVERLOADED_TRIES)):
        try:
            with step("encode"):
                encoded = context.encoder.encode_images(
                    pixels,
                    model=target.model.id,
                    fingerprint=target.model.fingerprint,
                    priority=BULK,
                    timeout_seconds=ENCODE_TIMEOUT_SECONDS,
                )
            break
        except Overloaded as error:
            if left == 0:
                raise
            WAITS.labels("encoder").inc()
            context.pause(error.retry_after_seconds)
    for work, result in zip(works, encoded.results, strict=True):
        work.pixels = None
        if isinstance(result, ItemError):
            work.failure = Failure(result.message, passing=not isinstance(result, InvalidItem))
        else:
            work.vector = result
