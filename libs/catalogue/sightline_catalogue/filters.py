"""From a Filter to Qdrant's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from qdrant_client import grpc

from sightline_catalogue.image import Filter
from sightline_catalogue.payload import point_ids


def any_of(field: str, values: Sequence[str]) -> grpc.Condition:
    """Return the condition that a field has one of some values."""
    match = grpc.Match(keywords=grpc.RepeatedStrings(strings=list(values)))
    return grpc.Condition(field=grpc.FieldCondition(key=field, match=match))


def without(ids: Sequence[str]) -> grpc.Condition:
    """Return the condition that names some points; for `must_not`."""
    return grpc.Condition(has_id=grpc.HasIdCondition(has_id=point_ids(ids)))


def to_filter(
    wanted: Filter | None, *, must: Sequence[grpc.Condition] = (), must_not: Sequence[grpc.Condition] = ()
) -> grpc.Filter | None:
    """Return Qdrant's filter, or None where everything is wanted."""
    conditions = list(must)
    if wanted is not None:
        for field, values in (
            ("label", wanted.labels),
            ("folders", wanted.folders),
            ("state", wanted.states),
            ("format", wanted.formats),
        ):
            if values:
                conditions.append(any_of(field, values))
        if wanted.after is not None or wanted.before is not None:
            conditions.append(_dated(wanted.after, wanted.before))
    if not conditions and not must_not:
        return None
    return grpc.Filter(must=conditions, must_not=list(must_not))


def _dated(after: datetime | None, before: datetime | None) -> grpc.Condition:
    span = grpc.DatetimeRange()
    if after is not None:
        span.gte.CopyFrom(_timestamp(after))
    if before is not None:
        span.lt.CopyFrom(_timestamp(before))
    taken = grpc.Condition(field=grpc.FieldCondition(key="taken_at", datetime_range=span))
    modified = grpc.Condition(field=grpc.FieldCondition(key="modified_at", datetime_range=span))
    not_known = grpc.Condition(is_empty=grpc.IsEmptyCondition(key="taken_at"))
    instead = grpc.Condition(filter=grpc.Filter(must=[not_known, modified]))
    return grpc.Condition(filter=grpc.Filter(should=[taken, instead]))


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)
    return stamp
