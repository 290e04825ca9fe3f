"""Filters of images, and the conditions of Qdrant that they become."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from qdrant_client import grpc as api

from sightline_catalogue.identity import canonical, canonical_folder, storable
from sightline_catalogue.image import State
from sightline_catalogue.vectors import VECTOR


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
        copy_groups: Groups of copies, as `Image.copy_group` gives them.
    """

    labels: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    after: datetime | None = None
    before: datetime | None = None
    states: tuple[State, ...] = ()
    formats: tuple[str, ...] = ()
    sha256: tuple[str, ...] = ()
    copy_groups: tuple[str, ...] = ()


def is_one_of(field: str, values: Sequence[str]) -> api.Condition:
    """Return the condition that a keyword field holds one of some values."""
    match = api.Match()
    if len(values) == 1:
        match.keyword = storable(values[0])
    else:
        match.keywords.strings.extend(storable(value) for value in values)
    return api.Condition(field=api.FieldCondition(key=field, match=match))


def is_empty(field: str) -> api.Condition:
    """Return the condition that a field is absent."""
    return api.Condition(is_empty=api.IsEmptyCondition(key=field))


def is_in_copy_group(groups: Sequence[str]) -> api.Condition:
    """Return the condition that an image is in one of some groups of copies."""
    first = api.Condition(filter=api.Filter(must=[is_one_of("sha256", groups), is_empty("copy_of")]))
    return api.Condition(filter=api.Filter(should=[is_one_of("copy_of", groups), first]))


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
    if filter.copy_groups:
        found.append(is_in_copy_group(filter.copy_groups))
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

    modified = api.Condition(filter=api.Filter(must=[is_empty("taken_at"), within("modified_at")]))
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
