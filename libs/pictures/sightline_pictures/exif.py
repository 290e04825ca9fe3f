"""Reads EXIF: orientation, date and camera."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from PIL import Image
from PIL.ExifTags import IFD, Base

_DATE = re.compile(r"(\d{4})[:\-/.](\d{1,2})[:\-/.](\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
# The oldest surviving photograph was taken in 1826 or 1827.
_FIRST_YEAR = 1826
_LONGEST_CAMERA = 100


def orientation(exif: Image.Exif) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where it is absent or invalid."""
    value = exif.get(Base.Orientation)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def taken_at(exif: Image.Exif) -> datetime | None:
    """Return when the picture was taken, as an aware datetime in UTC; None if EXIF has no valid date.

    DateTimeOriginal comes first, then DateTimeDigitized, then DateTime. A time without an offset counts as UTC. A date
    before photography, or in the future, is invalid.
    """
    details = exif.get_ifd(IFD.Exif)
    for tag, offset_tag, source in (
        (Base.DateTimeOriginal, Base.OffsetTimeOriginal, details),
        (Base.DateTimeDigitized, Base.OffsetTimeDigitized, details),
        (Base.DateTime, Base.OffsetTime, exif),
    ):
        offset = details.get(offset_tag) or details.get(Base.OffsetTime)
        found = _moment(_text(source.get(tag)), _text(offset))
        if found:
            return found
    return None


def camera(exif: Image.Exif) -> str | None:
    """Return the camera's make and model as one name, the make not repeated; None if EXIF has neither."""
    make, model = _text(exif.get(Base.Make)), _text(exif.get(Base.Model))
    if make and model:
        doubled = model.lower().startswith(make.split()[0].lower())
        name = model if doubled else f"{make} {model}"
    else:
        name = model or make
    return name[:_LONGEST_CAMERA] or None


def _text(value: object) -> str:
    """Return a tag's value as one clean line; empty for what is not text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    printable = "".join(c if c.isprintable() and c != "\ufffd" else " " for c in value.partition("\0")[0])
    return " ".join(printable.split())


def _moment(text: str, offset: str) -> datetime | None:
    match = _DATE.match(text)
    if not match:
        return None
    try:
        naive = datetime(*(int(part or 0) for part in match.groups()))  # type: ignore[arg-type]
        moment = naive.replace(tzinfo=_zone(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if moment.year < _FIRST_YEAR or moment > datetime.now(UTC) + timedelta(days=1):
        return None
    return moment


def _zone(offset: str) -> timezone:
    match = _OFFSET.fullmatch(offset)
    if not match:
        return UTC
    sign, hours, minutes = match.groups()
    distance = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-distance if sign == "-" else distance) if distance < timedelta(hours=24) else UTC
