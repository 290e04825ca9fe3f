"""Reads objects and has them decoded: from a key to properties, thumbnail and pixels."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sightline_bucket import BucketObject, KeyRefused, ObjectMissing, ObjectUnreadable
from sightline_catalogue import Image
from sightline_pictures import READER_VERSION, PictureError
from sightline_pictures.decoder_pool import Busy, Patience
from sightline_pictures.errors import DecoderEnded
from sightline_pictures.rendering import read_file_tags, render_index_input
from sightline_pictures.thumbnails import shows_the_same

from sightline_ingest_worker.target import Target
from sightline_ingest_worker.worker.context import WorkerContext
from sightline_ingest_worker.worker.item import Content, Failure, FailureKind, IngestItem, Properties, ReadItem
from sightline_ingest_worker.worker.metrics import TASKS, step
from sightline_ingest_worker.worker.sidecars import read_sidecars

CHUNK_BYTES = 64 * 1024 * 1024
"""The most bytes of a chunk, unless one file alone is larger."""
SLOW_WAIT_SECONDS = 10.0
"""How long a picture that is slow to decode waits for another one that is."""
POSTPONED = Failure("decoding it was postponed: others of its task take long to decode", FailureKind.POSTPONED)
STILL_WRITTEN_SECONDS = 5.0
"""A truncated file that was modified less than this ago counts as still being written."""


def look_up(context: WorkerContext, key: str) -> IngestItem | None:
    """Return the object as it is now; None if it is gone, or not part of the bucket.

    Raises:
        BucketUnavailable: The bucket does not answer.
    """
    # In an object store the next listing tells: to look for each `.nomedia` would cost a request.
    if context.bucket.root is not None and context.bucket.excluded(key) is not None:
        return None
    try:
        seen = context.bucket.stat(key)
    except (ObjectMissing, KeyRefused):
        return None
    except ObjectUnreadable as error:
        return IngestItem(
            key, context.image_id(key), _unknown(key), failure=Failure(error.reason, FailureKind.UNREADABLE)
        )
    failure = None
    if seen.problem is not None:
        failure = Failure(seen.problem, FailureKind.REFUSED)
    elif seen.size > context.pictures.max_bytes:
        failure = Failure(f"{seen.size:,} bytes; the limit is {context.pictures.max_bytes:,} (IMAGE_MAX_BYTES)")
    return IngestItem(key, context.image_id(key), seen, failure=failure)


def chunks(items: Sequence[IngestItem], count: int, size: int = CHUNK_BYTES) -> Iterator[list[IngestItem]]:
    """Split items into chunks of at most `count` objects and `size` bytes; a larger object is a chunk of its own."""
    chunk: list[IngestItem] = []
    held = 0
    for item in items:
        if chunk and (len(chunk) == count or held + item.seen.size > size):
            yield chunk
            chunk, held = [], 0
        chunk.append(item)
        held += item.seen.size
    if chunk:
        yield chunk


def read(context: WorkerContext, item: IngestItem) -> tuple[ReadItem, bytes] | None:
    """Read and hash an object; None if it is gone. One that has failed already is not read.

    What makes this object alone unreadable is its failure.

    Raises:
        BucketUnavailable: The bucket does not answer.
    """
    if item.failure is not None:
        return ReadItem(item, item.seen), b""
    with step("read"):
        try:
            data, seen = context.bucket.read(item.key, context.pictures.max_bytes)
            after = seen if context.bucket.reads_one_version else context.bucket.stat(item.key)
        except ObjectMissing:
            return None
        except ObjectUnreadable as error:
            return ReadItem(replace(item, failure=Failure(error.reason, FailureKind.UNREADABLE)), item.seen), b""
        except KeyRefused:
            # It has just become a link, or unreadable; the next look-up reports that.
            return ReadItem(item, item.seen, changed=True), b""
        if not item.seen.etag == seen.etag == after.etag:
            return ReadItem(item, after, changed=True), b""
        # With the stamp from before it was read: what changes it meanwhile is noticed later.
        after = replace(after, stamp=seen.stamp)
        tags = read_sidecars(context.bucket, item.sidecars)
        return ReadItem(item, after, hashlib.sha256(data).hexdigest(), sidecar_tags=tags), data


def known_content(image: Image, vector: NDArray[np.float32]) -> Content:
    """Return the content that the catalogue has of an image's bytes."""
    return Content(
        Properties.of(image), vector=vector, copied=True, reader=image.reader, input_sha256=image.input_sha256
    )


def decode(
    context: WorkerContext,
    target: Target,
    seen: BucketObject,
    sha256: str,
    data: bytes,
    known: Content | None,
    deadline: float,
) -> Content:
    """Have bytes decoded; store the thumbnail. There are pixels unless the vector of these pixels is known.

    Of what is known already, by this version of the code, only the tags are read.

    Raises:
        BucketUnavailable: The thumbnail cannot be stored.
    """
    content = known or Content()
    left = deadline - time.monotonic()
    if left <= 0:
        return replace(content, failure=POSTPONED)
    patience = Patience(min(left, SLOW_WAIT_SECONDS))
    is_stored = context.thumbnails.exists(sha256)
    if not is_stored:
        # Before it is decoded, which would be done again at each try.
        context.thumbnails.check_room()
    try:
        with step("decode"):
            if known is not None and not known.is_outdated and is_stored:
                _, tags = context.decoders.run(read_file_tags, patience, lambda: data)
                return replace(known, properties=replace(known.properties, tags=tags))
            with_thumbnail = known is not None or not is_stored
            _, made = context.decoders.run(
                render_index_input, patience, lambda: data, context.pictures, target.preprocessing, with_thumbnail
            )
    except Busy:
        return replace(content, failure=POSTPONED)
    except DecoderEnded as error:
        TASKS.labels("crashed").inc()
        return replace(content, failure=Failure(error.reason, FailureKind.TRANSIENT))
    except PictureError as error:
        kind = FailureKind.INCOMPLETE if _is_recent(context, seen) else FailureKind.LASTING
        return replace(content, failure=Failure(error.reason, kind))
    if made.picture.note is not None and _is_recent(context, seen):
        return replace(content, failure=Failure(made.picture.note, FailureKind.INCOMPLETE))
    shows_same = False
    if made.thumbnail is not None:
        with step("thumbnail"):
            shows_same = _store_thumbnail(context, sha256, made.thumbnail)
    input_sha256 = hashlib.sha256(made.pixels.tobytes()).hexdigest()
    properties = Properties.of(made.picture)
    content = replace(content, properties=properties, reader=READER_VERSION, input_sha256=input_sha256)
    if known is not None and known.vector is not None:
        is_same = shows_same if known.input_sha256 is None else known.input_sha256 == input_sha256
        # Within a version of the code what differs is rounding, of another processor or library.
        if is_same or not known.is_outdated:
            return content
    return replace(content, pixels=made.pixels, vector=None, copied=False)


def _store_thumbnail(context: WorkerContext, sha256: str, made: bytes) -> bool:
    """Store a thumbnail unless the one that is there shows the same; return whether it does.

    Args:
        context: Where to.
        sha256: Of the object's bytes.
        made: The thumbnail. One that is there may be of an older version of the code.
    """
    stored = context.thumbnails.get(sha256)
    if stored is not None and shows_the_same(made, stored):
        return True
    context.thumbnails.put(sha256, made)
    return False


def _unknown(key: str) -> BucketObject:
    """Return an object of which nothing but the key is known; its ETag is that of no listing."""
    return BucketObject(key, key.encode(), key, 0, datetime.fromtimestamp(0, UTC), "")


def _is_recent(context: WorkerContext, seen: BucketObject) -> bool:
    return abs(context.clock.now() - seen.modified_at) < timedelta(seconds=STILL_WRITTEN_SECONDS)
