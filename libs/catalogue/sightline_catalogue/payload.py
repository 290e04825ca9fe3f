"""Between an Image and a point's payload in Qdrant's messages.

What is None or empty is left out, so that a payload is small and a filter for "has none" is one for "is empty".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from qdrant_client import grpc

from sightline_catalogue.image import Image, Known, State

TEXTS = ("bucket", "key", "state", "reason", "sha256", "format", "label", "camera", "etag")
NUMBERS = ("attempts", "bytes", "width", "height")
TIMES = ("next_try_at", "taken_at", "modified_at", "indexed_at")

INDEXES = {
    "state": grpc.FieldType.FieldTypeKeyword,
    "label": grpc.FieldType.FieldTypeKeyword,
    "folders": grpc.FieldType.FieldTypeKeyword,
    "format": grpc.FieldType.FieldTypeKeyword,
    "sha256": grpc.FieldType.FieldTypeKeyword,
    "taken_at": grpc.FieldType.FieldTypeDatetime,
    "modified_at": grpc.FieldType.FieldTypeDatetime,
    "newest": grpc.FieldType.FieldTypeInteger,
}
"""The fields that filters, counts and orders use."""

TIE_BITS = 20


def newest(image: Image) -> int:
    """Return the number that browsing is ordered by: milliseconds of modification, then bits of the id.

    The bits keep images apart that were modified in the same millisecond, as those of an unpacked archive are:
    a page then ends between two numbers.
    """
    moment = image.modified_at
    milliseconds = int(moment.timestamp() * 1000) if moment is not None else 0
    tie = int.from_bytes(hashlib.blake2s(image.id.encode(), digest_size=4).digest(), "big") >> (32 - TIE_BITS)
    # 64 signed bits hold the years from 1831 to 2108.
    milliseconds = max(-(1 << 42), min(milliseconds, (1 << 42) - 1))
    return (milliseconds << TIE_BITS) | tie


def to_payload(image: Image) -> dict[str, grpc.Value]:
    """Return the payload of a point."""
    payload = {"newest": grpc.Value(integer_value=newest(image))}
    for name in TEXTS:
        if text := getattr(image, name):
            payload[name] = grpc.Value(string_value=printable(text))
    for name in NUMBERS:
        if (number := getattr(image, name)) is not None:
            payload[name] = grpc.Value(integer_value=number)
    for name in TIMES:
        if (moment := getattr(image, name)) is not None:
            payload[name] = grpc.Value(string_value=to_text(moment))
    if image.folders:
        values = [grpc.Value(string_value=printable(folder)) for folder in image.folders]
        payload["folders"] = grpc.Value(list_value=grpc.ListValue(values=values))
    return payload


def printable(text: str) -> str:
    r"""Return text that is valid UTF-8: lone surrogates, which stand for other bytes, become `\xff`."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return text


def to_text(moment: datetime) -> str:
    """Return a time as Qdrant's datetime index reads it, RFC 3339 in UTC. One without a zone is taken for UTC."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_payload(point_id: str, payload: Mapping[str, grpc.Value]) -> Image:
    """Return the image of a point. Reading the fields one by one is several times faster than a general decoder."""
    fields: dict[str, Any] = {"id": point_id, "bucket": "", "key": "", "state": "pending"}
    for name, value in payload.items():
        if name in _TEXTS:
            fields[name] = value.string_value
        elif name in _NUMBERS:
            fields[name] = value.integer_value
        elif name in _TIMES:
            fields[name] = datetime.fromisoformat(value.string_value)
        elif name == "folders":
            fields[name] = [folder.string_value for folder in value.list_value.values]
    return Image(**fields)


_TEXTS, _NUMBERS, _TIMES = frozenset(TEXTS), frozenset(NUMBERS), frozenset(TIMES)


KNOWN_FIELDS = ("key", "etag", "state", "attempts", "next_try_at")


def to_known(point_id: str, payload: Mapping[str, grpc.Value]) -> Known:
    """Return what a comparison needs of a point that was asked for KNOWN_FIELDS."""
    again = payload["next_try_at"].string_value if "next_try_at" in payload else ""
    return Known(
        id=point_id,
        key=payload["key"].string_value,
        etag=payload["etag"].string_value if "etag" in payload else None,
        state=cast("State", payload["state"].string_value),
        attempts=payload["attempts"].integer_value if "attempts" in payload else 0,
        next_try_at=datetime.fromisoformat(again) if again else None,
    )


def point_ids(ids: Iterable[str]) -> list[grpc.PointId]:
    """Return ids as Qdrant's."""
    return [grpc.PointId(uuid=one) for one in ids]
