"""Combines what several sources say about a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sightline_pictures.metadata.values import Date, Place, Tags, merged, offset_text

_QUARTER = timedelta(minutes=15)
_FARTHEST = timedelta(hours=14)


@dataclass(frozen=True)
class Metadata:
    """What is known about a picture beside its pixels.

    Attributes:
        taken_at: Naive: the time on the wall where it was taken.
        taken_offset: The wall's offset from UTC, such as `+02:00`; None where it is not known.
        taken_from: The source of the date, as `DateSource` names it.
        place: Where it was taken.
        camera, lens: Maker and model.
        rating: 1 to 5 stars, or -1 for a rejected picture.
        title: Title and description.
        keywords: Of all sources, each once.
    """

    taken_at: datetime | None = None
    taken_offset: str | None = None
    taken_from: str | None = None
    place: Place | None = None
    camera: str | None = None
    lens: str | None = None
    rating: int | None = None
    title: str | None = None
    keywords: tuple[str, ...] = ()


def combine(sources: Sequence[Tags]) -> Metadata:
    """Return what is known about a picture.

    Args:
        sources: What each says. Of dates that counts which `DateSource` puts first, of all else what comes first here.
    """
    tags = merged(sources)
    date = _taken(sorted(tags.dates, key=lambda one: one.source))
    return Metadata(
        taken_at=date.wall_time if date else None,
        taken_offset=offset_text(date.offset) if date else None,
        taken_from=date.source.text if date else None,
        place=tags.place,
        camera=tags.camera,
        lens=tags.lens,
        rating=tags.rating,
        title=tags.title,
        keywords=tags.keywords,
    )


def _taken(dates: Sequence[Date]) -> Date | None:
    """Return the first date, completed by the others: a day by its time, a wall time by its offset, UTC by the wall."""
    if not dates:
        return None
    date = dates[0]
    if not date.has_time:
        date = next((one for one in dates if one.has_time and one.wall_time.date() == date.wall_time.date()), date)
    for other in dates:
        if other is date or not other.has_time or not date.has_time:
            continue
        if date.offset is None and not other.is_utc and other.offset is not None:
            if abs(other.wall_time - date.wall_time) < timedelta(seconds=1):
                return replace(date, offset=other.offset)
        elif other.is_utc != date.is_utc and (date if other.is_utc else other).offset is None:
            wall, utc = (date, other) if other.is_utc else (other, date)
            offset = _offset_between(wall.wall_time, utc.wall_time)
            if offset is not None:
                return replace(date, wall_time=wall.wall_time, offset=offset, is_utc=False)
    return date


def _offset_between(wall_time: datetime, utc: datetime) -> int | None:
    """Return the minutes by which a wall is ahead of UTC; None where both cannot be the same moment, or are equal.

    All offsets are whole quarters of an hour. Equal times say nothing: many programs take a wall time for UTC.
    """
    difference = wall_time.replace(microsecond=0) - utc.replace(microsecond=0)
    if not difference or difference % _QUARTER or abs(difference) > _FARTHEST:
        return None
    return difference // timedelta(minutes=1)
