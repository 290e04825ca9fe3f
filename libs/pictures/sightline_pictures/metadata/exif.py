"""Reads EXIF: orientation, and what it says about a picture."""

from __future__ import annotations

import struct

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from sightline_pictures.metadata.ifd import Directory
from sightline_pictures.metadata.values import (
    NO_TAGS,
    Date,
    DateSource,
    Place,
    Tags,
    clean,
    date_of,
    keywords_of,
    make_and_model,
    place_of,
    rating_of,
    title_of,
)

HEADER = b"Exif\0\0"
_RATING, _RATING_PERCENT = 0x4746, 0x4749
_XP_TITLE, _XP_COMMENT, _XP_KEYWORDS = 0x9C9B, 0x9C9C, 0x9C9E
_LENS_MAKE, _LENS_MODEL = 0xA433, 0xA434
_DATES = (
    (DateSource.EXIF, Base.DateTimeOriginal, Base.OffsetTimeOriginal, Base.SubsecTimeOriginal),
    (DateSource.EXIF_DIGITIZED, Base.DateTimeDigitized, Base.OffsetTimeDigitized, Base.SubsecTimeDigitized),
    (DateSource.EXIF_MODIFIED, Base.DateTime, Base.OffsetTime, Base.SubsecTime),
)


def orientation(exif: Image.Exif) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where it is absent or invalid."""
    value = exif.get(Base.Orientation)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def read_exif(data: bytes) -> Tags:
    """Return what EXIF says; nothing where it cannot be read.

    Args:
        data: From `II` or `MM` on, with or without `Exif` before it: of a TIFF, or a camera's raw file, all of it.
    """
    data = data.removeprefix(HEADER)
    if data[:2] not in (b"II", b"MM"):
        return NO_TAGS
    try:
        first = Directory(data)
    except struct.error:
        return NO_TAGS
    # Canon's raw files hold each of these as the first directory of a block of its own.
    details, gps = first.directory(IFD.Exif) or first, first.directory(IFD.GPSInfo) or first
    return Tags(
        dates=_dates(first, details),
        place=_place(gps),
        camera=make_and_model(first.text(Base.Make), first.text(Base.Model)),
        lens=make_and_model(details.text(_LENS_MAKE), details.text(_LENS_MODEL)),
        rating=rating_of(first.number(_RATING)) or _from_percent(first.number(_RATING_PERCENT)),
        title=title_of(_wide(first, _XP_TITLE), first.text(Base.ImageDescription), _wide(first, _XP_COMMENT)),
        keywords=keywords_of(_wide(first, _XP_KEYWORDS).split(";")),
    )


def _wide(directory: Directory, tag: int) -> str:
    """Return a text as Windows writes it."""
    return directory.bytes(tag).decode("utf-16-le", "replace").partition("\0")[0]


def _dates(first: Directory, details: Directory) -> tuple[Date, ...]:
    found: tuple[Date, ...] = ()
    for source, tag, offset_tag, fraction_tag in _DATES:
        holder = first if source is DateSource.EXIF_MODIFIED else details
        offset = clean(details.text(offset_tag) or details.text(Base.OffsetTime))
        found += date_of(source, clean(holder.text(tag)), offset=offset, fraction=clean(details.text(fraction_tag)))
    return found


def _place(gps: Directory) -> Place | None:
    latitude = _degrees(gps.numbers(GPS.GPSLatitude), gps.text(GPS.GPSLatitudeRef), "NS")
    longitude = _degrees(gps.numbers(GPS.GPSLongitude), gps.text(GPS.GPSLongitudeRef), "EW")
    return place_of(latitude, longitude)


def _degrees(parts: tuple[float, ...], side: str, sides: str) -> float | None:
    """Return degrees of degrees, minutes and seconds, below 0 for the second of the two sides."""
    side = side.strip().upper()
    if not parts or len(parts) > 3 or side not in tuple(sides):
        return None
    # Some write 0/0 for seconds that are not known.
    whole, *smaller = (0.0 if place and part != part else part for place, part in enumerate(parts))
    degrees = whole + sum(part / divisor for part, divisor in zip(smaller, (60, 3600), strict=False))
    return -degrees if side == sides[1] else degrees


def _from_percent(percent: float | None) -> int | None:
    """Return the stars of a rating of 1 to 99, as Windows writes it: 1, 25, 50, 75 and 99."""
    return rating_of(1 + round(percent / 25)) if percent and 1 <= percent <= 100 else None
