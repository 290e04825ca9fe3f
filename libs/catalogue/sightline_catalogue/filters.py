"""Filters of images, and the conditions of Qdrant that they become."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from qdrant_client import grpc as api

from sightline_catalogue.identity import storable
from sightline_catalogue.image import State
from sightline_catalogue.vectors import VECTOR


@dataclass(frozen=True)
class Filter:
    """Conditions on images: of each field that is set, one value must match.

    Attributes:
        labels: Names of parent folders.
        folders: Paths; images anywhere below match.
        after: At or after this moment: `taken_at`, or `modified_at` of an image without it.
        before: Before this moment, likewise.
        states: States.
        formats: Formats, such as `JPEG`.
        sha256: SHA-256 of the objects' bytes.
    """

    labels: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    after: datetime | None = None
    before: datetime | None = None
    states: tuple[State, ...] = ()
    formats: tuple[str, ...] = ()
    sha256: tuple[str, ...] = ()


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
        ValueError: A datetime is naive.
    """
    if filter is None:
        return []
    keywords = {
        "label": filter.labels,
        "folders": filter.folders,
        "state": filter.states,
        "format": filter.formats,
        "sha256": filter.sha256,
    }
    found = [is_one_of(field, values) for field, values in keywords.items() if values]
    if filter.after is not None or filter.before is not None:
        found.append(_in_period(filter.after, filter.before))
    return found


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
        between.gte.CopyFrom(_timestamp(after))
    if before is not None:
        between.lt.CopyFrom(_timestamp(before))

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
