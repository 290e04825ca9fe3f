"""Reads the JSON file that Google Takeout puts beside a picture."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sightline_pictures.metadata.values import NO_TAGS, Date, DateSource, Place, Tags, checked, place_of, title_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_takeout(data: bytes) -> Tags:
    """Return what the file says; nothing where it is another kind of JSON."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return NO_TAGS
    if not isinstance(document, dict) or "photoTakenTime" not in document:
        return NO_TAGS
    place = _place(document.get("geoDataExif")) or _place(document.get("geoData"))
    title = title_of(document.get("description"))
    return Tags(dates=_date(document["photoTakenTime"]), place=place, title=title)


def _date(taken: Any) -> tuple[Date, ...]:
    """Return the date, in UTC: the zone where it was taken is not in the file."""
    try:
        moment = _EPOCH + timedelta(seconds=int(taken["timestamp"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return ()
    return checked(DateSource.TAKEOUT, moment.timetuple()[:6], offset=0, is_utc=True)


def _place(geo: Any) -> Place | None:
    return place_of(geo.get("latitude"), geo.get("longitude")) if isinstance(geo, dict) else None
