"""From what became of an object to its point in the catalogue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sightline_bucket import BucketObject
from sightline_catalogue import Image, image_id

from sightline_ingest_worker.context import Context
from sightline_ingest_worker.work import MAX_ATTEMPTS, WAIT_SECONDS, Work, wait_after

CHANGED = "it changed while it was read; tried again soon"


def place(key: str) -> dict[str, Any]:
    """Return label and folders of a key: its parent's name, and every folder above it."""
    parents = key.split("/")[:-1]
    return {
        "label": parents[-1] if parents else None,
        "folders": ["/".join(parents[: depth + 1]) for depth in range(len(parents))],
    }


def listed(bucket_id: str, seen: BucketObject) -> dict[str, Any]:
    """Return the part of a point that the listing alone gives."""
    key = seen.shown if seen.key is None else seen.key
    return {
        "id": image_id(bucket_id, seen.raw_name),
        "bucket": bucket_id,
        "key": key,
        "bytes": seen.size,
        "modified_at": seen.modified_at,
        "etag": seen.etag,
        **place(key),
    }


def pending_point(bucket_id: str, seen: BucketObject, next_try_at: datetime | None = None) -> Image:
    """Return the point of an object that waits for a worker."""
    return Image(state="pending", next_try_at=next_try_at, **listed(bucket_id, seen))


def refused_etag(seen: BucketObject) -> str:
    """Return the ETag of an object that may not be read: another than once it may."""
    return f"refused:{seen.etag}"


def refused_point(bucket_id: str, seen: BucketObject) -> Image:
    """Return the point of an object that the listing already tells can only fail."""
    return Image(state="failed", reason=seen.problem, **(listed(bucket_id, seen) | {"etag": refused_etag(seen)}))


def finished_point(context: Context, work: Work) -> Image:
    """Return the point of an object that a worker is done with: indexed, failed, or pending for a little longer."""
    facts = {
        **listed(context.bucket_id, work.seen),
        "sha256": None if work.changed else work.sha256,
        "width": work.width,
        "height": work.height,
        "format": work.format,
        "taken_at": work.taken_at,
        "camera": work.camera,
    }
    soon = context.now() + timedelta(seconds=WAIT_SECONDS)
    attempts = work.attempts + 1
    failure = work.failure
    if failure is not None and failure.refused:
        return refused_point(context.bucket_id, work.seen)
    if work.changed:
        return Image(state="pending", reason=CHANGED, next_try_at=soon, **facts)
    if failure is not None and failure.incomplete:
        return Image(state="pending", reason=f"{failure.reason}; is it still being written?", next_try_at=soon, **facts)
    if failure is not None:
        again = context.now() + wait_after(attempts) if failure.passing and attempts < MAX_ATTEMPTS else None
        return Image(state="failed", reason=failure.reason, attempts=attempts, next_try_at=again, **facts)
    if work.vector is None:
        return Image(state="pending", next_try_at=soon, **facts)
    return Image(state="indexed", indexed_at=context.now(), attempts=attempts, **facts)
