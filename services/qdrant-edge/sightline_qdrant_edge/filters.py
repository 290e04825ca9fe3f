"""Filters, from Qdrant's messages to the engine's objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import qdrant_edge as engine
from google.protobuf.timestamp_pb2 import Timestamp
from qdrant_client import grpc as api

from sightline_qdrant_edge.errors import Unserved, WrongInput
from sightline_qdrant_edge.values import PointId, point_ids

_MATCHES: dict[str, Callable[[Any], Any]] = {
    "keyword": engine.MatchValue,
    "integer": engine.MatchValue,
    # A Python bool would be taken for the integers 0 and 1, which no boolean equals; numpy's cannot.
    "boolean": lambda found: engine.MatchValue(cast(bool, np.bool_(found))),
    "text": engine.MatchText,
    "text_any": engine.MatchTextAny,
    "phrase": engine.MatchPhrase,
    "prefix": engine.MatchPrefix,
    "substring": engine.MatchSubstring,
    "keywords": lambda found: engine.MatchAny(list(found.strings)),
    "integers": lambda found: engine.MatchAny(list(found.integers)),
    "except_keywords": lambda found: engine.MatchExcept(list(found.strings)),
    "except_integers": lambda found: engine.MatchExcept(list(found.integers)),
}
_BOUNDS = ("lt", "gt", "gte", "lte")


def point_filter(message: api.Filter) -> engine.Filter:
    """Return the engine's filter.

    Raises:
        WrongInput: A condition is empty or incomplete.
        Unserved: A condition that the engine does not know.
    """
    return engine.Filter(
        must=_conditions(message.must),
        should=_conditions(message.should),
        must_not=_conditions(message.must_not),
        min_should=(
            engine.MinShould(_conditions(message.min_should.conditions) or [], message.min_should.min_count)
            if message.HasField("min_should")
            else None
        ),
    )


def excluding(found: engine.Filter | None, excluded: PointId) -> engine.Filter:
    """Return the filter narrowed to all points but one."""
    return engine.Filter(must=[found] if found else None, must_not=[engine.HasIdCondition({excluded})])


def _conditions(messages: Any) -> list[Any] | None:
    return [_condition(message) for message in messages] or None


def _condition(message: api.Condition) -> Any:
    kind = message.WhichOneof("condition_one_of")
    if kind == "field":
        return _field(message.field)
    if kind == "filter":
        return point_filter(message.filter)
    if kind == "has_id":
        return engine.HasIdCondition(set(point_ids(message.has_id.has_id)))
    if kind == "is_empty":
        return engine.IsEmptyCondition(message.is_empty.key)
    if kind == "is_null":
        return engine.IsNullCondition(message.is_null.key)
    if kind == "has_vector":
        return engine.HasVectorCondition(message.has_vector.has_vector)
    if kind == "nested":
        return engine.NestedCondition(message.nested.key, point_filter(message.nested.filter))
    if kind is None:
        raise WrongInput("Wrong input: a filter holds an empty condition")
    raise Unserved(f"qdrant-edge does not serve the condition `{kind}`")


def _field(message: api.FieldCondition) -> engine.FieldCondition:
    options: dict[str, Any] = {}
    if message.HasField("match"):
        kind = message.match.WhichOneof("match_value")
        if kind is None:
            raise WrongInput(f"Wrong input: the match on `{message.key}` has no value")
        options["match"] = _MATCHES[kind](getattr(message.match, kind))
    if message.HasField("range"):
        options["range"] = engine.RangeFloat(**_bounds(message.range))
    if message.HasField("datetime_range"):
        bounds = _bounds(message.datetime_range)
        options["range"] = engine.RangeDateTime(**{name: _rfc3339(at) for name, at in bounds.items()})
    if message.HasField("values_count"):
        options["values_count"] = engine.ValuesCount(**_bounds(message.values_count))
    if message.HasField("is_empty"):
        options["is_empty"] = message.is_empty
    if message.HasField("is_null"):
        options["is_null"] = message.is_null
    if message.HasField("geo_radius"):
        options["geo_radius"] = engine.GeoRadius(_geo(message.geo_radius.center), message.geo_radius.radius)
    if message.HasField("geo_bounding_box"):
        box = message.geo_bounding_box
        options["geo_bounding_box"] = engine.GeoBoundingBox(_geo(box.top_left), _geo(box.bottom_right))
    if message.HasField("geo_polygon"):
        area = message.geo_polygon
        options["geo_polygon"] = engine.GeoPolygon(
            [_geo(point) for point in area.exterior.points],
            [[_geo(point) for point in ring.points] for ring in area.interiors] or None,
        )
    if not options:
        raise WrongInput(f"Wrong input: the condition on `{message.key}` is empty")
    return engine.FieldCondition(message.key, **options)


def _bounds(message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in _BOUNDS if message.HasField(name)}


def _rfc3339(at: Timestamp) -> str:
    return at.ToJsonString()


def _geo(point: api.GeoPoint) -> engine.GeoPoint:
    return engine.GeoPoint(point.lon, point.lat)
