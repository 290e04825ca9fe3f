"""Converts an image to a point's payload, and back."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import cast

from qdrant_client import grpc as api

from sightline_catalogue.derived import write_derived
from sightline_catalogue.identity import canonical, canonical_folder, storable
from sightline_catalogue.image import INDEXED, PENDING, STATES, CopyKind, Image, Labelled, ScanState, State

Fields = MutableMapping[str, api.Value]
"""A payload in a message."""

ORDER = "order"
"""The field that pages are sorted by; see `order_of`."""
SEARCHABLE = "searchable"
"""The bucket's id while the image is indexed, else absent: one condition where searches would need two."""

SCAN_FIELDS = tuple(name for name in ScanState._fields if name != "id")
COPY_FIELDS = ("sha256", "copy_of")
"""What tells which group of copies an image is in."""
LABELLED_FIELDS = ("label", *COPY_FIELDS)
MISSING_FIELDS = ("missing_since", "held_of", "removed_at")
"""Fields of images whose objects are missing."""
INGEST_FIELDS = (
    "bucket",
    "state",
    "reason",
    "attempts",
    "next_try_at",
    "etag",
    "stamp",
    "sidecars",
    "reader",
    "input_sha256",
    "compared",
    *MISSING_FIELDS,
)
"""Fields that only ingestion needs, or that are the same for all results of a search."""
DETAIL_FIELDS = ("copy_kind", "taken_from", "place", "lens", "rating", "title", "keywords", "added_at")
"""Fields that are shown of one image at a time."""
FOUND_FIELDS = (
    SEARCHABLE,
    *(field.name for field in dataclasses.fields(Image) if field.name not in ("id", *INGEST_FIELDS, *DETAIL_FIELDS)),
)
"""The fields that a search returns: reading every field of fifty images would be much of its time."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNDATED = datetime(1, 1, 1, tzinfo=UTC)
_LEAD = timedelta(hours=12)
"""So far ahead a file's time may be, by a clock or a file system in another zone, before it is disregarded."""
_SECOND = timedelta(seconds=1)
_TIE_BITS = 15

_TEXTS = (
    "bucket",
    "key",
    "state",
    "reason",
    "sha256",
    "format",
    "camera",
    "lens",
    "title",
    "taken_offset",
    "taken_from",
    "etag",
    "stamp",
    "sidecars",
    "note",
    "input_sha256",
    "copy_of",
    "copy_kind",
    "burst",
)
_INTEGERS = ("attempts", "bytes", "width", "height", "rating", "held_of", "reader", "compared")
_TIMES = ("next_try_at", "modified_at", "indexed_at", "added_at", "missing_since", "removed_at")


def order_of(image: Image) -> int:
    """Return the sort key of an image in pages: its second, then some bits of its id.

    An unpacked archive has thousands of files of one second, and Qdrant cannot start a page within equal values; the
    bits make equal values few. All of it is below 2**53, since ranges of integers go through doubles.
    """
    second = (_sorting_time(image) - _EPOCH) // _SECOND
    return (second << _TIE_BITS) | (uuid.UUID(image.id).int >> (128 - _TIE_BITS))


def _sorting_time(image: Image) -> datetime:
    """Return the wall time, else when the file was modified; the earliest time where that is in the future."""
    if image.taken_at is not None:
        return image.taken_at.replace(tzinfo=UTC)
    moment = image.modified_at or image.indexed_at
    return moment if moment is not None and moment < datetime.now(UTC) + _LEAD else _UNDATED


def time_text(moment: datetime) -> str:
    """Return an aware datetime in UTC as RFC 3339.

    Raises:
        ValueError: It is naive.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; datetimes of the catalogue are aware")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def wall_time_text(wall_time: datetime) -> str:
    """Return a wall time as the database holds it, where every time has a zone: as if it were in UTC.

    Raises:
        ValueError: It is aware.
    """
    if wall_time.tzinfo is not None:
        raise ValueError(f"{wall_time} has a time zone; a wall time is naive")
    return f"{wall_time.isoformat()}Z"


def write_image(fields: Fields, image: Image) -> None:
    """Write an image into a message's payload; what is None or empty is left out.

    Raises:
        ValueError: It is not a state, `taken_at` is aware, or another datetime is naive.
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
    if image.taken_at is not None:
        fields["taken_at"].string_value = wall_time_text(image.taken_at)
    if image.label:
        fields["label"].string_value = storable(canonical(image.label))
    if image.place is not None:
        # By these names the database knows it as a place.
        place = fields["place"].struct_value.fields
        place["lat"].double_value, place["lon"].double_value = image.place
    _write_texts(fields, "folders", map(canonical_folder, image.folders))
    _write_texts(fields, "keywords", image.keywords)
    fields[ORDER].integer_value = order_of(image)
    write_derived(fields, image)
    if image.state == INDEXED:
        fields[SEARCHABLE].string_value = storable(image.bucket)


def _write_texts(fields: Fields, name: str, texts: Iterable[str]) -> None:
    """Write a list of texts, each once."""
    if kept := dict.fromkeys(storable(text) for text in texts if text):
        values = fields[name].list_value.values
        for text in kept:
            values.add().string_value = text


def write_state(fields: Fields, bucket_id: str, state: State, reason: str | None, next_try_at: datetime | None) -> None:
    """Write a change of state, of an image whose object is there; null removes a field.

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
        **dict.fromkeys(MISSING_FIELDS),
    }
    for name, text in texts.items():
        if text is None:
            fields[name].null_value = api.NULL_VALUE
        else:
            fields[name].string_value = text


def _read_state(message: api.Value) -> State:
    return cast(State, message.string_value or PENDING)


def _read_integer(message: api.Value) -> int | None:
    number = message.integer_value
    return number if number or message.WhichOneof("kind") == "integer_value" else None


def _read_time(message: api.Value) -> datetime | None:
    text = message.string_value
    return datetime.fromisoformat(text) if text else None


def _read_wall_time(message: api.Value) -> datetime | None:
    text = message.string_value
    return datetime.fromisoformat(text).replace(tzinfo=None) if text else None


def _read_texts(message: api.Value) -> list[str]:
    return [value.string_value for value in message.list_value.values]


def _read_label(message: api.Value) -> str | None:
    return canonical(message.string_value) or None


def _read_place(message: api.Value) -> tuple[float, float] | None:
    place = message.struct_value.fields
    return (_read_number(place["lat"]), _read_number(place["lon"])) if place else None


def _read_number(message: api.Value) -> float:
    # A database may return 48.0 as an integer.
    return message.double_value or float(message.integer_value)


def read_found(point_id: str, fields: Fields) -> Image:
    """Return the indexed image of a search result's payload, with its `FOUND_FIELDS`.

    Field by field, since fifty are read for each search; a field that is absent reads as an empty one.
    """
    return Image(
        id=point_id,
        bucket=fields[SEARCHABLE].string_value,
        key=fields["key"].string_value,
        state=INDEXED,
        sha256=fields["sha256"].string_value or None,
        bytes=_read_integer(fields["bytes"]),
        width=_read_integer(fields["width"]),
        height=_read_integer(fields["height"]),
        format=fields["format"].string_value or None,
        label=_read_label(fields["label"]),
        folders=[canonical(folder) for folder in _read_texts(fields["folders"])],
        taken_at=_read_wall_time(fields["taken_at"]),
        taken_offset=fields["taken_offset"].string_value or None,
        camera=fields["camera"].string_value or None,
        note=fields["note"].string_value or None,
        modified_at=_read_time(fields["modified_at"]),
        indexed_at=_read_time(fields["indexed_at"]),
        copy_of=fields["copy_of"].string_value or None,
        burst=fields["burst"].string_value or None,
    )


def read_image(point_id: str, fields: Fields) -> Image:
    """Return the image of a point's whole payload."""
    image = read_found(point_id, fields)
    image.bucket = fields["bucket"].string_value
    image.state = _read_state(fields["state"])
    image.reason = fields["reason"].string_value or None
    image.attempts = fields["attempts"].integer_value
    image.next_try_at = _read_time(fields["next_try_at"])
    image.etag = fields["etag"].string_value or None
    image.stamp = fields["stamp"].string_value or None
    image.missing_since = _read_time(fields["missing_since"])
    image.held_of = _read_integer(fields["held_of"])
    image.removed_at = _read_time(fields["removed_at"])
    image.sidecars = fields["sidecars"].string_value or None
    image.taken_from = fields["taken_from"].string_value or None
    image.place = _read_place(fields["place"])
    image.lens = fields["lens"].string_value or None
    image.rating = _read_integer(fields["rating"])
    image.title = fields["title"].string_value or None
    image.keywords = _read_texts(fields["keywords"])
    image.added_at = _read_time(fields["added_at"])
    image.reader = _read_integer(fields["reader"])
    image.input_sha256 = fields["input_sha256"].string_value or None
    image.copy_kind = cast(CopyKind, fields["copy_kind"].string_value or None)
    image.compared = _read_integer(fields["compared"])
    return image


def read_scan_state(point_id: str, fields: Fields) -> ScanState:
    """Return the scan state of a payload with its `SCAN_FIELDS`."""
    return ScanState(
        id=point_id,
        etag=fields["etag"].string_value or None,
        state=_read_state(fields["state"]),
        key=fields["key"].string_value,
        attempts=fields["attempts"].integer_value,
        next_try_at=_read_time(fields["next_try_at"]),
        stamp=fields["stamp"].string_value or None,
        missing_since=_read_time(fields["missing_since"]),
        sidecars=fields["sidecars"].string_value or None,
        reader=_read_integer(fields["reader"]),
        compared=_read_integer(fields["compared"]),
    )


def read_copy_group(fields: Fields) -> str:
    """Return the group of copies that a payload is of; empty where its bytes are not known."""
    return str(fields["copy_of"].string_value or fields["sha256"].string_value)


def read_labelled(point_id: str, fields: Fields) -> Labelled:
    """Return what a payload with its `LABELLED_FIELDS` says."""
    return Labelled(point_id, _read_label(fields["label"]), read_copy_group(fields) or None)
