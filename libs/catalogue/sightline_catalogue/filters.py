"""Filters of images, and the conditions of Qdrant that they become."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from qdrant_client import grpc as api

from sightline_catalogue.derived import CAMERA_WORDS, LENS_WORDS, NAME, PIXELS, SHAPE, WORDS, Shape
from sightline_catalogue.identity import canonical, canonical_folder, storable
from sightline_catalogue.image import State
from sightline_catalogue.places import Box, Circle, is_inside, is_near
from sightline_catalogue.vectors import VECTOR
from sightline_catalogue.words import asked_words, stem_of


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
        copy_groups: Groups of copies, as `Image.copy_group` gives them.
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
    copy_groups: tuple[str, ...] = ()


def is_one_of(field: str, values: Sequence[str]) -> api.Condition:
    """Return the condition that a keyword field holds one of some values."""
    match = api.Match()
    if len(values) == 1:
        match.keyword = storable(values[0])
    else:
        match.keywords.strings.extend(storable(value) for value in values)
    return api.Condition(field=api.FieldCondition(key=field, match=match))


def is_number(field: str, number: int) -> api.Condition:
    """Return the condition that an integer field holds a number."""
    return api.Condition(field=api.FieldCondition(key=field, match=api.Match(integer=number)))


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
        ValueError: A datetime is aware that should be naive, or the other way round.
    """
    if filter is None:
        return []
    keywords = {
        "label": _forms(map(canonical, filter.labels)),
        "folders": _forms(map(canonical_folder, filter.folders)),
        "state": filter.states,
        "format": filter.formats,
        "sha256": filter.sha256,
        SHAPE: filter.shapes,
    }
    texts = (
        (NAME, filter.names, _taken_apart(filter.names)),
        (WORDS, filter.words, _taken_apart(filter.words)),
        (CAMERA_WORDS, filter.cameras, _as_they_are(filter.cameras)),
        (LENS_WORDS, filter.lenses, _as_they_are(filter.lenses)),
    )
    found = [is_one_of(field, values) for field, values in keywords.items() if values]
    found += [_has_words(field, asked) for field, given, asked in texts if given]
    if filter.copy_groups:
        found.append(is_in_copy_group(filter.copy_groups))
    if filter.after is not None or filter.before is not None:
        found.append(_in_period(filter.after, filter.before))
    if filter.near is not None:
        found.append(is_near(filter.near))
    if filter.inside is not None:
        found.append(is_inside(filter.inside))
    least = Between(least=filter.rating) if filter.rating is not None else None
    numbers = {"bytes": filter.bytes, PIXELS: filter.pixels, "rating": least}
    found += [_is_between(field, between) for field, between in numbers.items() if between is not None]
    if filter.added_after is not None or filter.added_before is not None:
        found.append(_was_added(filter.added_after, filter.added_before))
    if excluded := conditions(filter.excluded):
        found.append(api.Condition(filter=api.Filter(must_not=excluded)))
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
    narrowed = {field.name for field in fields(filter) if getattr(filter, field.name) != field.default} - {"states"}
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


def _taken_apart(texts: Iterable[str]) -> list[str]:
    return [form for text in texts for form in asked_words(stem_of(text))]


def _as_they_are(texts: Iterable[str]) -> list[str]:
    """Return texts whose numbers stay where they are: a D70 is no D70s."""
    return [form for text in texts for form in asked_words(text)[:1]]


def _has_words(field: str, texts: Sequence[str]) -> api.Condition:
    """Return the condition that every word of one of some texts is among a field's; of no text, that nothing meets."""
    matches = [
        api.Condition(field=api.FieldCondition(key=field, match=api.Match(text=storable(text)))) for text in texts
    ]
    if not matches:
        return has_id([])
    return matches[0] if len(matches) == 1 else api.Condition(filter=api.Filter(should=matches))


def _is_between(field: str, between: Between) -> api.Condition:
    return api.Condition(
        field=api.FieldCondition(key=field, range=api.Range(gte=between.least, lte=between.most)),
    )


def _was_added(after: datetime | None, before: datetime | None) -> api.Condition:
    between = api.DatetimeRange()
    if after is not None:
        between.gte.CopyFrom(_timestamp(after))
    if before is not None:
        between.lt.CopyFrom(_timestamp(before))
    return api.Condition(field=api.FieldCondition(key="added_at", datetime_range=between))


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
