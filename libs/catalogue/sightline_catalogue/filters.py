"""Filters of images, and the conditions of Qdrant that they become."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from math import inf
from typing import Literal

from google.protobuf.timestamp_pb2 import Timestamp
from qdrant_client import grpc as api

from sightline_catalogue.identity import canonical, canonical_folder, storable
from sightline_catalogue.image import State
from sightline_catalogue.vectors import VECTOR

Shape = Literal["landscape", "portrait", "square", "panorama"]
SHAPES: tuple[Shape, ...] = ("landscape", "portrait", "square", "panorama")


@dataclass(frozen=True)
class Circle:
    """The places at most so far from one.

    Attributes:
        latitude: Of the centre, in degrees north, WGS 84.
        longitude: Of the centre, in degrees east.
        kilometres: The radius.

    Raises:
        ValueError: There is no such place, or the radius is none.
    """

    latitude: float
    longitude: float
    kilometres: float

    def __post_init__(self) -> None:
        _check_place(self.latitude, self.longitude)
        if not 0 < self.kilometres < inf:
            raise ValueError(f"{self.kilometres} is no radius: it is more than 0 km")


@dataclass(frozen=True)
class Box:
    """The places between two latitudes and two longitudes, all in degrees, WGS 84.

    Attributes:
        south: The least latitude.
        west: The longitude that it begins at, eastwards.
        north: The greatest latitude.
        east: The longitude that it ends at; less than `west` where the box crosses the date line.

    Raises:
        ValueError: There is no such place, or the south is north of the north.
    """

    south: float
    west: float
    north: float
    east: float

    def __post_init__(self) -> None:
        _check_place(self.south, self.west)
        _check_place(self.north, self.east)
        if self.south > self.north:
            raise ValueError(f"a box from {self.south} south to {self.north} north is upside down")


@dataclass(frozen=True)
class Between:
    """The numbers from one to another, both included; None for no limit."""

    least: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class Filter:
    """Conditions on images: of each field that is set, one value must match.

    Attributes:
        labels: Names of parent folders, in any form of Unicode.
        folders: Paths, in any form, with or without slashes at their ends; images anywhere below match.
        after: Naive: at or after this wall time, by `taken_at`, or by `modified_at` in UTC of an image without it.
        before: Before this wall time, likewise.
        states: States.
        formats: Formats, such as `JPEG`.
        sha256: SHA-256 of the objects' bytes.
        names: Texts, each of whose words begins a word of the file's name: `IMG_12` for `IMG_1234.jpg`.
        words: Texts, each of whose words is among those of the file's name, its folders, its title and its keywords.
        cameras: Texts, each of whose words is among those of the camera: `nikon` for `NIKON D70`.
        lenses: Likewise of the lens.
        near: Taken within this circle.
        inside: Taken within this box.
        bytes: The object's size.
        pixels: Width times height.
        shapes: Shapes.
        rating: At least so many stars.
        added_after: Aware: first came into the collection at or after this moment.
        added_before: Before this moment.
        excluded: Images that meet any of its conditions do not match.
    """

    labels: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    after: datetime | None = None
    before: datetime | None = None
    states: tuple[State, ...] = ()
    formats: tuple[str, ...] = ()
    sha256: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    lenses: tuple[str, ...] = ()
    near: Circle | None = None
    inside: Box | None = None
    bytes: Between | None = None
    pixels: Between | None = None
    shapes: tuple[Shape, ...] = ()
    rating: int | None = None
    added_after: datetime | None = None
    added_before: datetime | None = None
    excluded: Filter | None = None


def _check_place(latitude: float, longitude: float) -> None:
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError(f"{latitude}, {longitude} is no place: latitudes go from -90 to 90, longitudes to 180")


def is_one_of(field: str, values: Sequence[str]) -> api.Condition:
    """Return the condition that a keyword field holds one of some values."""
    match = api.Match()
    if len(values) == 1:
        match.keyword = storable(values[0])
    else:
        match.keywords.strings.extend(storable(value) for value in values)
    return api.Condition(field=api.FieldCondition(key=field, match=match))


def has_id(ids: Iterable[str]) -> api.Condition:
    """Return the condition that a point has one of some ids."""
    return api.Condition(has_id=api.HasIdCondition(has_id=[api.PointId(uuid=one) for one in ids]))


def is_after(field: str, moment: datetime) -> api.Condition:
    """Return the condition that a field's moment is after another.

    Raises:
        ValueError: The datetime is naive.
    """
    return api.Condition(field=api.FieldCondition(key=field, datetime_range=api.DatetimeRange(gt=_timestamp(moment))))


def is_before(field: str, moment: datetime) -> api.Condition:
    """Return the condition that a field's moment is before another.

    Raises:
        ValueError: The datetime is naive.
    """
    return api.Condition(field=api.FieldCondition(key=field, datetime_range=api.DatetimeRange(lt=_timestamp(moment))))


def has_vector() -> api.Condition:
    """Return the condition that a point has a vector."""
    return api.Condition(has_vector=api.HasVectorCondition(has_vector=VECTOR))


def conditions(filter: Filter | None) -> list[api.Condition]:
    """Return the conditions that a filter becomes, all of which must hold.

    Raises:
        ValueError: A datetime is aware.
    """
    if filter is None:
        return []
    keywords = {
        "label": _forms(map(canonical, filter.labels)),
        "folders": _forms(map(canonical_folder, filter.folders)),
        "state": filter.states,
        "format": filter.formats,
        "sha256": filter.sha256,
    }
    found = [is_one_of(field, values) for field, values in keywords.items() if values]
    if filter.after is not None or filter.before is not None:
        found.append(_in_period(filter.after, filter.before))
    return found


def _forms(names: Iterable[str]) -> list[str]:
    """Return names, each also in NFD if it differs: older records hold it as the bucket does."""
    return list(dict.fromkeys(form for name in names for form in (name, unicodedata.normalize("NFD", name))))


def has_hnsw_links(filter: Filter | None) -> bool:
    """Return whether the HNSW graph has links between the images of a filter.

    It has for one label, for one folder and for a span of time (`schema.HNSW_PAYLOAD_FIELDS`).
    """
    if filter is None or max(len(filter.labels), len(filter.folders)) > 1:
        return False
    narrowed = {field.name for field in fields(filter) if getattr(filter, field.name)} - {"states"}
    return narrowed in ({"labels"}, {"folders"}, {"after"}, {"before"}, {"after", "before"})


def _in_period(after: datetime | None, before: datetime | None) -> api.Condition:
    between = api.DatetimeRange()
    if after is not None:
        between.gte.CopyFrom(_wall_timestamp(after))
    if before is not None:
        between.lt.CopyFrom(_wall_timestamp(before))

    def within(field: str) -> api.Condition:
        return api.Condition(field=api.FieldCondition(key=field, datetime_range=between))

    undated = api.Condition(is_empty=api.IsEmptyCondition(key="taken_at"))
    modified = api.Condition(filter=api.Filter(must=[undated, within("modified_at")]))
    return api.Condition(filter=api.Filter(should=[within("taken_at"), modified]))


def _timestamp(moment: datetime) -> Timestamp:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; datetimes of a filter are aware")
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def _wall_timestamp(wall_time: datetime) -> Timestamp:
    if wall_time.tzinfo is not None:
        raise ValueError(f"{wall_time} has a time zone; wall times of a filter are naive")
    return _timestamp(wall_time.replace(tzinfo=UTC))
