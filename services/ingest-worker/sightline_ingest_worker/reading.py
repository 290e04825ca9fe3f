"""From a key to facts, thumbnail and pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta

import structlog
from sightline_bucket import KeyRefused, ObjectMissing
from sightline_catalogue import image_id
from sightline_pictures import PictureError, open_picture, preprocess, thumbnail
from sightline_pictures.thumbnails import THUMBNAIL_SIDE

from sightline_ingest_worker.context import Context, Target
from sightline_ingest_worker.metrics import step
from sightline_ingest_worker.work import Failure, Work

log = structlog.get_logger()

CHUNK_BYTES = 64 * 1024 * 1024
"""Files whose bytes are held at once, unless one alone is larger."""
STILL_WRITTEN_SECONDS = 5.0
"""A file that is cut short and was modified so recently is taken to be on its way."""


def look(context: Context, key: str) -> Work | None:
    """Return the object as it is now; None if it is gone, or no part of the bucket.

    Raises:
        BucketUnavailable: The bucket is away.
    """
    work_id = image_id(context.bucket_id, key.encode())
    try:
        seen = context.bucket.stat(key)
    except (ObjectMissing, KeyRefused):
        return None
    work = Work(key=key, id=work_id, seen=seen)
    if seen.problem is not None:
        work.failure = Failure(seen.problem, refused=True)
    elif seen.size > context.pictures.max_bytes:
        limit = context.pictures.max_bytes
        work.failure = Failure(f"{seen.size:,} bytes; the limit is {limit:,} (IMAGE_MAX_BYTES)")
    return work


def chunks(works: Sequence[Work], count: int, size: int = CHUNK_BYTES) -> Iterator[list[Work]]:
    """Cut into pieces of at most `count` objects and `size` bytes; an object above that is alone."""
    chunk: list[Work] = []
    held = 0
    for work in works:
        if chunk and (len(chunk) == count or held + work.seen.size > size):
            yield chunk
            chunk, held = [], 0
        chunk.append(work)
        held += work.seen.size
    if chunk:
        yield chunk


def read(context: Context, work: Work) -> bool:
    """Read the bytes and hash them; False if the object is gone.

    Raises:
        BucketUnavailable: The bucket is away.
    """
    with step("read"):
        try:
            work.data, read = context.bucket.read(work.key, context.pictures.max_bytes)
            after = context.bucket.stat(work.key)
        except ObjectMissing:
            return False
        except KeyRefused:
            # It became a link, or unreadable, this moment; the next look says so.
            work.changed = True
            return True
        work.changed = not work.seen.etag == read.etag == after.etag
        work.seen = after
        work.sha256 = hashlib.sha256(work.data).hexdigest()
    return True


def decode(context: Context, target: Target, work: Work) -> None:
    """Fill in facts, thumbnail and, where no vector is known, pixels; drops the bytes.

    Raises:
        BucketUnavailable: The thumbnail cannot be stored.
    """
    sha256, data, work.data = work.sha256, work.data, b""
    if sha256 is None or work.changed:
        return
    try:
        with step("decode"):
            picture = open_picture(
                data,
                max_bytes=context.pictures.max_bytes,
                max_pixels=context.pictures.max_pixels,
                min_side=max(target.preprocessing.min_side, THUMBNAIL_SIDE),
            )
        work.width, work.height, work.format = picture.width, picture.height, picture.format
        work.taken_at, work.camera = picture.taken_at, picture.camera
        if work.vector is None:
            with step("preprocess"):
                work.pixels = preprocess(picture.image, target.preprocessing)
        with step("thumbnail"):
            if not context.thumbnails.exists(sha256):
                context.thumbnails.put(sha256, thumbnail(picture.image))
    except PictureError as error:
        work.failure = Failure(error.reason, incomplete=_is_fresh(context, work))
    except MemoryError:
        work.failure = Failure("needs more memory than there is", passing=True)


def _is_fresh(context: Context, work: Work) -> bool:
    modified = work.seen.modified_at
    return abs(context.now() - modified) < timedelta(seconds=STILL_WRITTEN_SECONDS)
