"""Translates filters from Qdrant's messages to the engine's objects."""

from __future__ import annotations

from collections.abc import Iterable

import qdrant_edge as engine
from google.protobuf.timestamp_pb2 import Timestamp
from qdrant_client import grpc as api

from sightline_qdrant_edge.errors import Unimplemented, WrongInput, engine_errors
from sightline_qdrant_edge.values import PointId, point_ids

Condition = (
    engine.FieldCondition
    | engine.IsEmptyCondition
    | engine.IsNullCondition
    | engine.HasIdCondition
    | engine.HasVectorCondition
    | engine.NestedCondition
    | engine.Filter
)
"""The conditions that the engine accepts; null and nested are not translated."""


def point_filter(message: api.Filter) -> engine.Filter:
    """Return the engine's filter.

    Raises:
        WrongInput: A condition is empty or incomplete.
        Unimplemented: A condition that this service does not translate.
    """
    if message.HasField("min_should"):
        raise Unimplemented("qdrant-edge does not serve the condition `min_should`")
    return engine.Filter(
        must=_conditions(message.must),
        should=_conditions(message.should),
        must_not=_conditions(message.must_not),
    )


def excluding(condition: engine.Filter | None, excluded: PointId) -> engine.Filter:
    """Return a filter that leaves out one point."""
    return engine.Filter(must=[condition] if condition else None, must_not=[engine.HasIdCondition({excluded})])


def _conditions(messages: Iterable[api.Condition]) -> list[Condition] | None:
    return [_condition(message) for message in messages] or None


def _condition(message: api.Condition) -> Condition:
    kind = message.WhichOneof("condition_one_of")
    if kind == "field":
        return _field(message.field)
    if kind == "filter":
        return point_filter(message.filter)
    if kind == "has_id":
        return engine.HasIdCondition(set(point_ids(message.has_id.has_id)))
    if kind == "is_empty":
        return engine.IsEmptyCondition(message.is_empty.key)
    if kind == "has_vector":
        return engine.HasVectorCondition(message.has_vector.has_vector)
    if kind is None:
        raise WrongInput("Wrong input: a filter holds an empty condition")
    raise Unimplemented(f"qdrant-edge does not serve the condition `{kind}`")


def _field(message: api.FieldCondition) -> engine.FieldCondition:
    given = [field.name for field, _ in message.ListFields() if field.name != "key"]
    if given == ["match"]:
        return engine.FieldCondition(message.key, match=_match(message))
    if given == ["range"]:
        return engine.FieldCondition(message.key, range=_range(message.range))
    if given == ["datetime_range"]:
        return engine.FieldCondition(message.key, range=_datetime_range(message.datetime_range))
    if given == ["geo_radius"]:
        return engine.FieldCondition(message.key, geo_radius=_geo_radius(message.geo_radius))
    if given == ["geo_bounding_box"]:
        return engine.FieldCondition(message.key, geo_bounding_box=_geo_bounding_box(message.geo_bounding_box))
    if not given:
        raise WrongInput(f"Wrong input: the condition on `{message.key}` is empty")
    raise Unimplemented(f"qdrant-edge does not serve the condition `{' and '.join(given)}` on a field")


def _match(message: api.FieldCondition) -> engine.MatchValue | engine.MatchAny | engine.MatchText:
    kind = message.match.WhichOneof("match_value")
    if kind == "keyword":
        return engine.MatchValue(message.match.keyword)
    if kind == "keywords":
        return engine.MatchAny(list(message.match.keywords.strings))
    if kind == "integer":
        return engine.MatchValue(message.match.integer)
    if kind == "text":
        return engine.MatchText(message.match.text)
    if kind is None:
        raise WrongInput(f"Wrong input: the match on `{message.key}` has no value")
    raise Unimplemented(f"qdrant-edge does not serve the match `{kind}`")


def _range(message: api.Range) -> engine.RangeFloat:
    return engine.RangeFloat(**{field.name: value for field, value in message.ListFields()})


def _geo_radius(message: api.GeoRadius) -> engine.GeoRadius:
    with engine_errors():
        return engine.GeoRadius(_geo_point(message.center), message.radius)


def _geo_bounding_box(message: api.GeoBoundingBox) -> engine.GeoBoundingBox:
    with engine_errors():
        return engine.GeoBoundingBox(_geo_point(message.top_left), _geo_point(message.bottom_right))


def _geo_point(message: api.GeoPoint) -> engine.GeoPoint:
    return engine.GeoPoint(message.lon, message.lat)


def _datetime_range(message: api.DatetimeRange) -> engine.RangeDateTime:
    def bound(given: bool, at: Timestamp) -> str | None:
        return at.ToJsonString() if given else None

    return engine.RangeDateTime(
        lt=bound(message.HasField("lt"), message.lt),
        gt=bound(message.HasField("gt"), message.gt),
        gte=bound(message.HasField("gte"), message.gte),
        lte=bound(message.HasField("lte"), message.lte),
    )
