"""Reads and decodes objects: from a key to properties, thumbnail and pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sightline_bucket import BucketObject, KeyRefused, ObjectMissing, ObjectUnreadable
from sightline_pictures import PictureError, open_picture, preprocess, thumbnail
from sightline_pictures.thumbnails import THUMBNAIL_SIDE

from sightline_ingest_worker.target import Target
from sightline_ingest_worker.worker.context import WorkerContext
from sightline_ingest_worker.worker.item import Content, Failure, IngestItem, Properties, ReadItem
from sightline_ingest_worker.worker.metrics import step
from sightline_ingest_worker.worker.sidecars import read_sidecars

CHUNK_BYTES = 64 * 1024 * 1024
"""The most bytes of a chunk, unless one file alone is larger."""
STILL_WRITTEN_SECONDS = 5.0
"""A truncated file that was modified less than this ago counts as still being written."""


def look_up(context: WorkerContext, key: str) -> IngestItem | None:
    """Return the object as it is now; None if it is gone, or not part of the bucket.

    Raises:
        BucketUnavailable: The bucket does not answer.
    """
    try:
        seen = context.bucket.stat(key)
    except (ObjectMissing, KeyRefused):
        return None
    except ObjectUnreadable as error:
        return IngestItem(key, context.image_id(key), _unknown(key), failure=Failure(error.reason, unreadable=True))
    failure = None
    if seen.problem is not None:
        failure = Failure(seen.problem, refused=True)
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
            return ReadItem(replace(item, failure=Failure(error.reason, unreadable=True)), item.seen), b""
        except KeyRefused:
            # It has just become a link, or unreadable; the next look-up reports that.
            return ReadItem(item, item.seen, changed=True), b""
        if not item.seen.etag == seen.etag == after.etag:
            return ReadItem(item, after, changed=True), b""
        # With the stamp from before it was read: what changes it meanwhile is noticed later.
        after = replace(after, stamp=seen.stamp)
        tags = read_sidecars(context.bucket, item.sidecars)
        return ReadItem(item, after, hashlib.sha256(data).hexdigest(), sidecar_tags=tags), data


def decode(
    context: WorkerContext, target: Target, seen: BucketObject, sha256: str, data: bytes, known: Content | None
) -> Content:
    """Decode bytes; store the thumbnail, and preprocess to pixels unless the vector is known.

    Raises:
        BucketUnavailable: The thumbnail cannot be stored.
    """
    content = known or Content()
    try:
        with step("decode"):
            picture = open_picture(
                data,
                max_bytes=context.pictures.max_bytes,
                max_pixels=context.pictures.max_pixels,
                min_side=max(target.preprocessing.min_side, THUMBNAIL_SIDE),
            )
        content = replace(content, properties=Properties.of(picture))
        if content.vector is None:
            with step("preprocess"):
                content = replace(content, pixels=preprocess(picture.image, target.preprocessing))
        with step("thumbnail"):
            if not context.thumbnails.exists(sha256):
                context.thumbnails.put(sha256, thumbnail(picture.image))
    except PictureError as error:
        return replace(content, failure=Failure(error.reason, incomplete=_is_recent(seen)))
    except MemoryError:
        return replace(content, failure=Failure("not enough memory to decode it", transient=True))
    return content


def _unknown(key: str) -> BucketObject:
    """Return an object of which nothing but the key is known; its ETag is that of no listing."""
    return BucketObject(key, key.encode(), key, 0, datetime.fromtimestamp(0, UTC), "")


def _is_recent(seen: BucketObject) -> bool:
    return abs(datetime.now(UTC) - seen.modified_at) < timedelta(seconds=STILL_WRITTEN_SECONDS)
