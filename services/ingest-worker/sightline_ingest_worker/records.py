"""Builds the catalogue's record of an object from its entry in the bucket's listing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sightline_bucket import BucketObject
from sightline_catalogue import FAILED, Image, image_id
from sightline_pictures import READER_VERSION


def listed_record(bucket_id: str, seen: BucketObject, added_at: datetime) -> Image:
    """Return an object's record, pending, with the fields that a listing gives, and when it first came."""
    key = seen.display_name if seen.key is None else seen.key
    folders, label = folders_and_label(key)
    return Image(
        id=image_id(bucket_id, seen.raw_name),
        bucket=bucket_id,
        key=key,
        bytes=seen.size,
        modified_at=seen.modified_at,
        added_at=added_at,
        etag=seen.etag,
        stamp=seen.stamp or None,
        label=label,
        folders=folders,
    )


def first_came(known: Image | None, now: datetime) -> datetime:
    """Return when an object first came: now, unless it has a record."""
    return (known.added_at or known.indexed_at or now) if known is not None else now


def folders_and_label(key: str) -> tuple[list[str], str | None]:
    """Return the folders that a key is in, the outermost first, and the name of the innermost.

    The empty parts that an object store's key may have (`/a.jpg`, `a//b.jpg`) name no folder.
    """
    parents = key.split("/")[:-1]
    folders = ["/".join(parents[: depth + 1]) for depth, name in enumerate(parents) if name]
    return folders, next((name for name in reversed(parents) if name), None)


def refused_etag(seen: BucketObject) -> str:
    """Return the ETag recorded for an object that cannot be read; it differs from the ETag once it can."""
    return f"refused:{seen.etag}"


def refused_record(bucket_id: str, seen: BucketObject, added_at: datetime) -> Image:
    """Return the failed record of an object that, as its listing says, cannot be read."""
    record = listed_record(bucket_id, seen, added_at)
    return replace(record, state=FAILED, reason=seen.problem, etag=refused_etag(seen), reader=READER_VERSION)
