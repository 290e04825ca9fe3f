"""Reads the dates that cameras, phones and messengers put into names of files."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sightline_pictures.metadata.values import Date, DateSource, Tags, checked, fraction_of

_FIRST_YEAR = 1990
"""Before, no program named files so."""
_WITH_TIME = re.compile(
    # 20230101_123456, 20230101123456, 2023-01-01-12-34-56, 2023-01-01 at 9.34.56 PM; perhaps with milliseconds.
    r"(?<![0-9])([0-9]{4})([-_.: ]?)([0-9]{2})\2([0-9]{2})"
    r"(?:T|[-_. ]{1,3}|[-_. ]at[-_. ])?"
    r"([0-9]{2}|[0-9](?=[-_.:]))([-_.:]?)([0-9]{2})\6([0-9]{2})"
    r"(?:[-_.]?([0-9]{3}))?(?![0-9])(?:\s?([AaPp])\.?[Mm]\b)?"
)
_DAY = re.compile(r"(?<![0-9])([0-9]{4})([-_.: ])([0-9]{2})\2([0-9]{2})(?![0-9])")
# Without marks only where hardly anything else can be meant: IMG-20230101-WA0001, 20081231.jpg.
_DAY_WITHOUT_MARKS = re.compile(r"(?:[A-Za-z]+[-_ ]?)?([0-9]{4})([0-9]{2})([0-9]{2})(?![0-9])")
_MILLISECONDS = re.compile(r"(?:FB_IMG_|mmexport)([0-9]{13})(?![0-9])")
_UTC_PREFIX = "PXL_"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_name(key: str) -> Tags:
    """Return the date that the last part of a key holds, if it is one that a picture can be of."""
    stem = key.rpartition("/")[2].rpartition(".")[0] or key.rpartition("/")[2]
    if match := _MILLISECONDS.match(stem):
        moment = _EPOCH + timedelta(milliseconds=int(match[1]))
        return Tags(dates=_plausible(moment.timetuple()[:6], is_utc=True))
    for match in _WITH_TIME.finditer(stem):
        year, _, month, day, hour, _, minute, second, fraction, half = match.groups()
        parts = (int(year), int(month), int(day), _hour(int(hour), half), int(minute), int(second))
        found = _plausible((*parts, fraction_of(fraction or "")), is_utc=stem.startswith(_UTC_PREFIX))
        if found:
            return Tags(dates=found)
    for match in _DAY.finditer(stem):
        if found := _plausible((int(match[1]), int(match[3]), int(match[4])), has_time=False):
            return Tags(dates=found)
    if match := _DAY_WITHOUT_MARKS.match(stem):
        return Tags(dates=_plausible((int(match[1]), int(match[2]), int(match[3])), has_time=False))
    return Tags()


def _hour(hour: int, half: str | None) -> int:
    if half is None or not 1 <= hour <= 12:
        return hour
    return hour % 12 + (12 if half in "Pp" else 0)


def _plausible(parts: tuple[int, ...], *, has_time: bool = True, is_utc: bool = False) -> tuple[Date, ...]:
    if parts[0] < _FIRST_YEAR:
        return ()
    return checked(DateSource.NAME, parts, offset=0 if is_utc else None, has_time=has_time, is_utc=is_utc)
