"""An image as a point's payload, and back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any

from qdrant_client import grpc as api

from sightline_catalogue.identity import storable
from sightline_catalogue.image import INDEXED, STATES, Image, ScanState, State

Fields = MutableMapping[str, api.Value]
"""A payload in a message."""

ORDER = "order"
"""The field that pages are ordered by: newest first, see `order_of`."""
SEARCHABLE = "searchable"
"""The bucket's id while the image is indexed, else absent: one condition where searches would need two."""

SCAN_FIELDS = ("etag", "state", "key", "attempts", "next_try_at")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_TIE_BITS = 15

_TEXTS = ("bucket", "key", "state", "reason", "sha256", "format", "label", "camera", "etag")
_INTEGERS = ("attempts", "bytes", "width", "height")
_TIMES = ("next_try_at", "taken_at", "modified_at", "indexed_at")


def order_of(image: Image) -> int:
    """Return where an image comes in a page: its second, then some bits of its id.

    A folder that was unpacked has thousands of files of one second, and Qdrant cannot go on within equal values; the
    bits make equal values few. All of it is below 2**53, since ranges of integers go through doubles.
    """
    moment = image.taken_at or image.modified_at or image.indexed_at or _EPOCH
    second = (moment - _EPOCH) // _SECOND
    return (second << _TIE_BITS) | (uuid.UUID(image.id).int >> (128 - _TIE_BITS))


def time_text(moment: datetime) -> str:
    """Return an aware datetime in UTC as RFC 3339.

    Raises:
        ValueError: It is naive.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; datetimes of the catalogue are aware")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def write_image(fields: Fields, image: Image) -> None:
    """Write an image into a message's payload; what is None or empty is left out.

    Raises:
        ValueError: It is not a state, or a datetime is naive.
    """
    if image.state not in STATES:
        raise ValueError(f"{image.state!r} is not a state; there are {', '.join(STATES)}")
    for name in _TEXTS:
        text = getattr(image, name)
        if text:
            fields[name].string_value = storable(text)
    for name in _INTEGERS:
        number = getattr(image, name)
        if number is not None:
            fields[name].integer_value = number
    for name in _TIMES:
        moment = getattr(image, name)
        if moment is not None:
            fields[name].string_value = time_text(moment)
    if image.folders:
        folders = fields["folders"].list_value.values
        for folder in image.folders:
            folders.add().string_value = storable(folder)
    fields[ORDER].integer_value = order_of(image)
    if image.state == INDEXED:
        fields[SEARCHABLE].string_value = storable(image.bucket)


def write_state(fields: Fields, bucket_id: str, state: State, reason: str | None, next_try_at: datetime | None) -> None:
    """Write a change of state; null removes a field.

    Raises:
        ValueError: It is not a state, or the datetime is naive.
    """
    if state not in STATES:
        raise ValueError(f"{state!r} is not a state; there are {', '.join(STATES)}")
    texts = {
        "state": state,
        "reason": storable(reason) if reason else None,
        "next_try_at": time_text(next_try_at) if next_try_at is not None else None,
        SEARCHABLE: storable(bucket_id) if state == INDEXED else None,
    }
    for name, text in texts.items():
        if text is None:
            fields[name].null_value = api.NULL_VALUE
        else:
            fields[name].string_value = text


def _read_text(message: api.Value) -> str | None:
    return message.string_value or None


def _read_integer(message: api.Value) -> int | None:
    number = message.integer_value
    return number if number or message.WhichOneof("kind") == "integer_value" else None


def _read_time(message: api.Value) -> datetime | None:
    text = message.string_value
    return datetime.fromisoformat(text) if text else None


def _read_folders(message: api.Value) -> list[str]:
    return [value.string_value for value in message.list_value.values]


_READERS: dict[str, Callable[[api.Value], Any]] = {
    **dict.fromkeys(_TEXTS, _read_text),
    **dict.fromkeys(_INTEGERS, _read_integer),
    **dict.fromkeys(_TIMES, _read_time),
    "folders": _read_folders,
}
# What ingestion alone needs of an image, and what is the same of all that a search finds.
_NOT_FOUND_FIELDS = ("bucket", "state", "reason", "attempts", "next_try_at", "etag")
_FOUND_READERS = {name: reader for name, reader in _READERS.items() if name not in _NOT_FOUND_FIELDS}
FOUND_FIELDS = (SEARCHABLE, *_FOUND_READERS)
"""What a search asks for: what people see of an image. Fifty times every field is much of what a search takes."""


def read_image(point_id: str, fields: Fields) -> Image:
    """Return the image of a point's payload."""
    # By our names, not by those of the message: these are new strings each time, and slow as names of arguments.
    values = {name: reader(fields[name]) for name, reader in _READERS.items() if name in fields}
    return Image(**{"id": point_id, "bucket": "", "key": ""} | values)


def read_found(point_id: str, fields: Fields) -> Image:
    """Return the indexed image whose payload a search gave, as much of it as `FOUND_FIELDS` are."""
    values = {name: reader(fields[name]) for name, reader in _FOUND_READERS.items() if name in fields}
    return Image(id=point_id, bucket=fields[SEARCHABLE].string_value, state=INDEXED, **values)


def read_scan_state(point_id: str, fields: Fields) -> ScanState:
    """Return as much of an image as `SCAN_FIELDS` of its payload give."""
    image = read_image(point_id, fields)
    return ScanState(point_id, image.etag, image.state, image.key, image.attempts, image.next_try_at)
