"""The values of metadata: what each source may say, cleaned and held within bounds."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

LONGEST_NAME = 100
"""Characters of a camera, a lens or a keyword."""
LONGEST_TITLE = 500
"""Characters of a title."""
MOST_KEYWORDS = 100
FIRST_YEAR = 1826
"""The oldest surviving photograph was taken in 1826 or 1827."""
LARGEST_OFFSET = 15 * 60
"""Minutes; the largest offsets from UTC are -12:00 and +14:00."""
HIGHEST_RATING, REJECTED = 5, -1
# What a camera counts from, or an unset clock shows.
_CLOCK_DEFAULTS = frozenset(datetime(year, 1, 1) for year in (1904, 1970, 1980))
_JOINERS = "\u200c\u200d"
_TIME = re.compile(
    r"([0-9]{4})(?:[-:/.]([0-9]{1,2})(?:[-:/.]([0-9]{1,2})"
    r"(?:[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?\s*(Z|[+-][0-9]{2}:?[0-9]{2})?)?)?)?"
)
# What cameras write into every picture.
_NO_TITLE = re.compile(
    r".*\bDIGITAL CAMERA|SONY DSC|Exif[_ ]JPEG[_ ]PICTURE|<KENOX .*|<?Digimax .*|DCIM\\.*|default", re.IGNORECASE
)
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})")


class DateSource(IntEnum):
    """Where a date is from; of several dates the one of the lowest number counts. The package's README explains it."""

    SIDECAR = 1
    EXIF = 2
    XMP = 3
    EXIF_DIGITIZED = 4
    XMP_CREATED = 5
    IPTC = 6
    PNG = 7
    TAKEOUT = 8
    NAME = 9
    EXIF_MODIFIED = 10
    PNG_MODIFIED = 11

    @property
    def text(self) -> str:
        """As answers have it: `exif-digitized`."""
        return self.name.lower().replace("_", "-")


class Place(NamedTuple):
    """Where a picture was taken, in degrees: WGS 84, north and east above 0."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class Date:
    """When a picture was taken, as one source has it.

    Attributes:
        wall_time: Naive: the time on the wall where it was taken; in UTC where only that is known (`is_utc`).
        offset: The wall's, in minutes east of UTC; None where it is not known.
        has_time: Whether the time of day is known; else it is midnight.
        is_utc: Whether the source knows no other time than UTC.
    """

    source: DateSource
    wall_time: datetime
    offset: int | None = None
    has_time: bool = True
    is_utc: bool = False


@dataclass(frozen=True)
class Tags:
    """What one source says about a picture.

    Attributes:
        dates: Any number, in any order.
        place: Where it was taken.
        camera: Maker and model.
        lens: Maker and model, or its focal lengths.
        rating: 1 to 5 stars, or -1 for a rejected picture.
        title: Title and description, as `title_of` joins them.
        keywords: In the order of the source, each once.
    """

    dates: tuple[Date, ...] = ()
    place: Place | None = None
    camera: str | None = None
    lens: str | None = None
    rating: int | None = None
    title: str | None = None
    keywords: tuple[str, ...] = ()


NO_TAGS = Tags()


def merged(sources: Sequence[Tags]) -> Tags:
    """Return what several sources say together: all dates and keywords, each once, of all else what comes first."""
    return Tags(
        dates=tuple(dict.fromkeys(date for tags in sources for date in tags.dates)),
        place=next((tags.place for tags in sources if tags.place), None),
        camera=next((tags.camera for tags in sources if tags.camera), None),
        lens=next((tags.lens for tags in sources if tags.lens), None),
        rating=next((tags.rating for tags in sources if tags.rating), None),
        title=next((tags.title for tags in sources if tags.title), None),
        keywords=keywords_of(keyword for tags in sources for keyword in tags.keywords),
    )


def clean(value: object, longest: int = LONGEST_NAME) -> str:
    """Return a text as one line of printable characters in NFC; empty for what is not text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    # Four times what is kept: an accent may be a character of its own, and some of it may go.
    text = value.partition("\0")[0][: 4 * longest]
    printable = "".join(c if (c.isprintable() or c in _JOINERS) and c != "\ufffd" else " " for c in text)
    return unicodedata.normalize("NFC", " ".join(printable.split()))[:longest].strip()


def make_and_model(make: object, model: object) -> str | None:
    """Return maker and model as one name, the maker not repeated; None where neither is known."""
    maker, name = clean(make), clean(model)
    if maker and name and not name.lower().startswith(maker.split()[0].lower()):
        name = f"{maker} {name}"
    return (name or maker)[:LONGEST_NAME].strip() or None


def title_of(*texts: object) -> str | None:
    """Return a title and what describes the picture as one text, none repeated; None where there is neither."""
    found: list[str] = []
    for text in texts:
        cleaned = clean(text, LONGEST_TITLE)
        if cleaned and not _NO_TITLE.fullmatch(cleaned) and not any(cleaned in one for one in found):
            found.append(cleaned)
    return " \N{EN DASH} ".join(found)[:LONGEST_TITLE].strip() or None


def keywords_of(values: Iterable[object]) -> tuple[str, ...]:
    """Return keywords, each once and cleaned, at most MOST_KEYWORDS."""
    found: dict[str, None] = {}
    for value in values:
        if len(found) == MOST_KEYWORDS:
            break
        if keyword := clean(value):
            found[keyword] = None
    return tuple(found)


def rating_of(value: object) -> int | None:
    """Return a rating; None for 0, which means none, and for what is no rating."""
    try:
        rating = math.floor(float(clean(value) if isinstance(value, str | bytes) else value))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return rating if rating and REJECTED <= rating <= HIGHEST_RATING else None


def place_of(latitude: object, longitude: object) -> Place | None:
    """Return a place; None where the numbers are none on the earth, or 0 and 0, which programs write for unknown."""
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    try:
        place = Place(round(float(latitude), 6), round(float(longitude), 6))
    except (OverflowError, ValueError):
        return None
    is_valid = abs(place.latitude) <= 90 and abs(place.longitude) <= 180 and place != (0, 0)
    return place if is_valid else None


def offset_of(text: str) -> int | None:
    """Return the minutes of an offset such as `+02:00` or `Z`; None for any other text."""
    if text == "Z":
        return 0
    match = _OFFSET.fullmatch(text)
    if not match:
        return None
    sign, hours, minutes = match.groups()
    distance = 60 * int(hours) + int(minutes)
    return (-distance if sign == "-" else distance) if distance <= LARGEST_OFFSET and int(minutes) < 60 else None


def offset_text(offset: int | None) -> str | None:
    """Return an offset in minutes as `+02:00`."""
    if offset is None:
        return None
    hours, minutes = divmod(abs(offset), 60)
    return f"{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}"


def fraction_of(digits: str) -> int:
    """Return the microseconds of the digits after a second's decimal point."""
    return int(digits[:6].ljust(6, "0")) if digits.isascii() and digits.isdigit() else 0


def date_of(
    source: DateSource, text: str, *, offset: str = "", fraction: str = "", is_utc: bool = False
) -> tuple[Date, ...]:
    """Return the date that a text holds, in EXIF's or ISO 8601's form, from the year alone on; nothing for others.

    Args:
        source: Where it is from.
        text: Such as `2008:08:08 23:30:00` or `2008-08-08T23:30:00.25+08:00`.
        offset: That of the text, if it stands apart.
        fraction: The second's decimals, likewise.
        is_utc: Whether the source knows no other time than UTC.
    """
    match = _TIME.fullmatch(text.strip())
    if not match:
        return ()
    year, month, day, hour, minute, second, decimals, zone = match.groups()
    micros = fraction_of(decimals or fraction.strip())
    return checked(
        source,
        (int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), micros),
        offset=offset_of(zone or offset.strip()),
        has_time=hour is not None,
        is_utc=is_utc,
    )


def checked(
    source: DateSource,
    parts: tuple[int, ...],
    *,
    offset: int | None = None,
    has_time: bool = True,
    is_utc: bool = False,
) -> tuple[Date, ...]:
    """Return a date of its parts, from the year to the microsecond; nothing where it cannot be when one was taken.

    That is a day that does not exist, one before photography or in the future, and what a clock shows that was not set.
    """
    try:
        wall_time = datetime(*parts)  # type: ignore[arg-type]
        moment = wall_time - timedelta(minutes=offset or 0)
    except (ValueError, OverflowError):
        return ()
    # Where no offset is known, the wall may be as far ahead of UTC as any.
    is_future = moment > datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    if wall_time.year < FIRST_YEAR or is_future or (has_time and wall_time in _CLOCK_DEFAULTS):
        return ()
    return (Date(source, wall_time, offset, has_time, is_utc),)
