"""An image as a point's payload, and back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sightline_catalogue.identity import storable
from sightline_catalogue.image import STATES, Image, ScanState

ORDER = "order"
"""The field that pages are ordered by: newest first, see `order_of`."""
SEARCHABLE = "searchable"
"""The bucket's id while the image is indexed, else absent: one condition where searches would need two."""

SCAN_FIELDS = ("etag", "state", "key", "attempts", "next_try_at")
FOUND_FIELDS = (
    SEARCHABLE,
    "key",
    "sha256",
    "bytes",
    "width",
    "height",
    "format",
    "label",
    "folders",
    "taken_at",
    "camera",
    "modified_at",
    "indexed_at",
)
"""What a search asks for: what people see of an image. Fifty times every field is much of what a search takes."""

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


def write_image(fields: MutableMapping[str, Any], image: Image) -> None:
    """Write an image into a message's payload; what is None or empty is left out.

    Raises:
        ValueError: The state is none, or a datetime is naive.
    """
    if image.state not in STATES:
        raise ValueError(f"{image.state!r} is no state; there are {', '.join(STATES)}")
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
    if image.state == "indexed":
        fields[SEARCHABLE].string_value = storable(image.bucket)


def write_state(
    fields: MutableMapping[str, Any], bucket_id: str, state: str, reason: str | None, next_try_at: datetime | None
) -> None:
    """Write a change of state; null removes a field.

    Raises:
        ValueError: The state is none, or the datetime is naive.
    """
    if state not in STATES:
        raise ValueError(f"{state!r} is no state; there are {', '.join(STATES)}")
    texts = {
        "state": state,
        "reason": storable(reason) if reason else None,
        "next_try_at": time_text(next_try_at) if next_try_at is not None else None,
        SEARCHABLE: storable(bucket_id) if state == "indexed" else None,
    }
    for name, text in texts.items():
        if text is None:
            fields[name].null_value = 0
        else:
            fields[name].string_value = text


def read_image(point_id: str, fields: Mapping[str, Any]) -> Image:
    """Return the image of a point's payload."""
    values: dict[str, Any] = {"id": point_id, "bucket": "", "key": "", "state": "pending"}
    # By our names, not by those of the message: these are new strings each time, and slow as names of arguments.
    for name, reader in _READERS.items():
        if name in fields:
            values[name] = reader(fields[name])
    return Image(**values)


def read_found(point_id: str, fields: Mapping[str, Any]) -> Image:
    """Return the indexed image whose payload a search gave, as much of it as `FOUND_FIELDS` are.

    Field by field, since fifty are read for each search; a field that is absent reads as an empty one.
    """
    return Image(
        id=point_id,
        bucket=fields[SEARCHABLE].string_value,
        key=fields["key"].string_value,
        state="indexed",
        sha256=fields["sha256"].string_value or None,
        bytes=_read_integer(fields["bytes"]),
        width=_read_integer(fields["width"]),
        height=_read_integer(fields["height"]),
        format=fields["format"].string_value or None,
        label=fields["label"].string_value or None,
        folders=_read_folders(fields["folders"]),
        taken_at=_read_time(fields["taken_at"]),
        camera=fields["camera"].string_value or None,
        modified_at=_read_time(fields["modified_at"]),
        indexed_at=_read_time(fields["indexed_at"]),
    )


def read_scan_state(point_id: str, fields: Mapping[str, Any]) -> ScanState:
    """Return as much of an image as `SCAN_FIELDS` of its payload give."""
    image = read_image(point_id, fields)
    return ScanState(point_id, image.etag, image.state, image.key, image.attempts, image.next_try_at)


def _read_text(message: Any) -> str | None:
    return message.string_value or None


def _read_integer(message: Any) -> int | None:
    number = message.integer_value
    return number if number or message.WhichOneof("kind") == "integer_value" else None


def _read_time(message: Any) -> datetime | None:
    text = message.string_value
    return datetime.fromisoformat(text) if text else None


def _read_folders(message: Any) -> list[str]:
    return [value.string_value for value in message.list_value.values]


_READERS: dict[str, Any] = {
    **dict.fromkeys(_TEXTS, _read_text),
    **dict.fromkeys(_INTEGERS, _read_integer),
    **dict.fromkeys(_TIMES, _read_time),
    "folders": _read_folders,
}
