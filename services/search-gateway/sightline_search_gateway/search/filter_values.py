"""Values of filters as people write them: dates, sizes, places, formats and stars.

Each function raises ValueError for any other value; its text says what is taken, with an example: `a size in ...`.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil, floor

from sightline_catalogue import SHAPES, Box, Circle, Shape
from sightline_pictures.formats import FORMATS

Period = tuple[datetime, datetime | None]

_LATITUDE = r"-?(90(\.0{1,8})?|[1-8]?[0-9](\.[0-9]{1,8})?)"
_LONGITUDE = r"-?(180(\.0{1,8})?|(1[0-7][0-9]|[1-9]?[0-9])(\.[0-9]{1,8})?)"
_KILOMETRES = r"(0\.[0-9]{0,2}[1-9]|[1-9][0-9]{0,3}(\.[0-9]{1,3})?)"
CIRCLE_PATTERN = f"^{_LATITUDE},{_LONGITUDE},{_KILOMETRES}(km)?$"
BOX_PATTERN = f"^{_LATITUDE},{_LONGITUDE},{_LATITUDE},{_LONGITUDE}$"
MOST_STARS = 5
MOST_SIZE = 2**53 - 1
"""Bytes, or pixels; JavaScript's numbers are exact so far."""

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{1,2}))?(?:-([0-9]{1,2}))?")
_SIZE = re.compile(r"(<=|>=|<|>|)\s*([0-9]{1,12}(?:[.,][0-9]{1,6})?)\s*([a-z]+)")
_STARS = re.compile(r"(>=|>|)\s*([0-9])")
_PIXELS = {"px": 1, "pixels": 1, "mp": 10**6, "megapixels": 10**6}
_BYTES = {"b": 1, "bytes": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_SPELLINGS = {
    "".join(spelling.lower().lstrip(".").split()): format.name
    for format in FORMATS.values()
    for spelling in (*format.extensions, format.name)
}


def read_period(value: str) -> Period:
    """Return the first moment of a year, a month or a day, and the first after it; None beyond the last year."""
    found = _DATE.fullmatch(value)
    year, month, day = found.groups() if found else (None, None, None)
    try:
        start = datetime(int(year or 0), int(month or "1"), int(day or "1"))
    except ValueError:
        raise ValueError("a year, a month or a day, such as 2020, 2020-05 or 2020-05-31") from None
    try:
        if day:
            return start, start + timedelta(days=1)
        if month:
            return start, (start + timedelta(days=31)).replace(day=1)
        return start, (start + timedelta(days=366)).replace(day=1)
    except OverflowError:
        return start, None


def read_size(value: str) -> dict[str, int]:
    """Return the parameters of a size: the least or the most bytes or pixels, both included."""
    found = _SIZE.fullmatch(value.lower())
    units = _PIXELS | _BYTES
    if found is None or found[3] not in units:
        raise ValueError("a size in pixels or bytes, such as >2mp or <500kb")
    sign, number, unit = found.groups()
    size = Decimal(number.replace(",", ".")) * units[unit]
    bound = {"<": ceil(size) - 1, "<=": floor(size), ">": floor(size) + 1}.get(sign, ceil(size))
    most = "max" if sign.startswith("<") else "min"
    return {f"{most}_{'pixels' if unit in _PIXELS else 'bytes'}": min(max(bound, 0), MOST_SIZE)}


def read_circle(value: str) -> Circle:
    """Return the circle round a place, of a latitude, a longitude and a radius in kilometres."""
    plain = "".join(value.split()).lower()
    if re.fullmatch(CIRCLE_PATTERN, plain) is None:
        raise ValueError("a latitude, a longitude and a distance below 10,000 km, such as 52.5,13.4,10km")
    return Circle(*(float(number) for number in plain.removesuffix("km").split(",")))


def read_box(value: str) -> Box:
    """Return the places between two latitudes, in any order, and from one longitude eastwards to another."""
    plain = "".join(value.split())
    if re.fullmatch(BOX_PATTERN, plain) is None:
        raise ValueError("south, west, north and east in degrees, such as 47.3,5.9,55.1,15.0")
    south, west, north, east = (float(number) for number in plain.split(","))
    return Box(min(south, north), west, max(south, north), east)


def read_format(value: str) -> str:
    """Return a format's name, of any of its usual spellings."""
    name = _SPELLINGS.get("".join(value.lower().lstrip(".").split()))
    if name is None:
        raise ValueError(f"a format: {', '.join(FORMATS)}, or an ending such as jpg")
    return name


def read_shape(value: str) -> Shape:
    """Return a shape."""
    for shape in SHAPES:
        if value.lower() == shape:
            return shape
    raise ValueError(f"{', '.join(SHAPES[:-1])} or {SHAPES[-1]}")


def read_stars(value: str) -> int:
    """Return the least number of stars."""
    found = _STARS.fullmatch(value)
    stars = int(found[2]) + (found[1] == ">") if found else 0
    if not 1 <= stars <= MOST_STARS:
        raise ValueError(f"the least number of stars, from 1 to {MOST_STARS}, such as 4 or >=4")
    return stars
