"""Translates writes: Qdrant's messages to the engine's operations, for a call and for its replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import qdrant_edge as engine
from qdrant_client import grpc as api
from sightline_service.batches import batched

from sightline_qdrant_edge.errors import Unimplemented, WrongInput
from sightline_qdrant_edge.filters import point_filter
from sightline_qdrant_edge.schema import field_index
from sightline_qdrant_edge.values import NamedVectors, PointId, payload, point_id, point_ids, vectors

Operation = engine.UpdateOperation
Write = (
    api.UpsertPoints
    | api.DeletePoints
    | api.SetPayloadPoints
    | api.CreateFieldIndexCollection
    | api.DeleteFieldIndexCollection
)
WRITES: tuple[type[Write], ...] = (
    api.UpsertPoints,
    api.DeletePoints,
    api.SetPayloadPoints,
    api.CreateFieldIndexCollection,
    api.DeleteFieldIndexCollection,
)
"""Every type of write; its index is its number in the journal."""

# The engine holds the GIL during an operation (1 ms for a hundred points): a large upsert is split, so that searches
# run in between.
_POINTS_AN_OPERATION = 256


def operations(request: Write, dimensions: Mapping[str, int]) -> list[Operation]:
    """Return a write as operations of the engine.

    Args:
        request: The write's message.
        dimensions: The size of each vector of the collection, by name.

    Raises:
        WrongInput: The whole request is refused, before any of it is applied.
        Unimplemented: It asks for something that this service does not translate.
    """
    match request:
        case api.UpsertPoints():
            return list(_upsert(request, dimensions))
        case api.DeletePoints():
            return [_delete(request)]
        case api.SetPayloadPoints():
            return [_set_payload(request)]
        case api.CreateFieldIndexCollection():
            return [Operation.create_field_index(request.field_name, field_index(request))]
        case api.DeleteFieldIndexCollection():
            return [Operation.delete_field_index(request.field_name)]


def removed_from_index(request: Write) -> int | engine.Filter:
    """Return how many points a write removes from the index, at most, or the filter that selects them.

    A point of an indexed segment whose vector or payload changes is moved to the segment that takes new points, which
    has no index. Points without a vector need none, and deleting moves nothing.
    """
    if isinstance(request, api.UpsertPoints):
        return sum(1 for point in request.points if vectors(point.vectors))
    if isinstance(request, api.SetPayloadPoints):
        ids, condition = _selected(request.points_selector)
        return len(ids) if condition is None else condition
    return 0


def _upsert(request: api.UpsertPoints, dimensions: Mapping[str, int]) -> Iterator[Operation]:
    if request.HasField("update_filter") or request.HasField("update_mode"):
        raise Unimplemented("qdrant-edge does not serve conditional upserts")
    points = [
        engine.Point(point_id(point.id), _checked(point, dimensions), payload(point.payload))
        for point in request.points
    ]
    if not points:
        raise WrongInput("Wrong input: the upsert holds no points")
    for batch in batched(points, _POINTS_AN_OPERATION):
        yield Operation.upsert_points(list(batch))


def _checked(point: api.PointStruct, dimensions: Mapping[str, int]) -> NamedVectors:
    """Return a point's vectors, checked: the engine would apply the points before an invalid one."""
    found = vectors(point.vectors)
    for name, data in found.items():
        expected = dimensions.get(name)
        if expected is None:
            raise WrongInput(f"Wrong input: Not existing vector name error: {name}")
        if len(data) != expected:
            raise WrongInput(f"Wrong input: Vector dimension error: expected dim: {expected}, got {len(data)}")
    return {**found}


def _delete(request: api.DeletePoints) -> Operation:
    ids, condition = _selected(request.points)
    return Operation.delete_points(ids) if condition is None else Operation.delete_points_by_filter(condition)


def _set_payload(request: api.SetPayloadPoints) -> Operation:
    if request.HasField("key"):
        raise Unimplemented("qdrant-edge does not serve the payload of a nested key")
    ids, condition = _selected(request.points_selector)
    values = payload(request.payload)
    if condition is None:
        return Operation.set_payload(ids, values)
    return Operation.set_payload_by_filter(condition, values)


def _selected(selector: api.PointsSelector) -> tuple[list[PointId], engine.Filter | None]:
    kind = selector.WhichOneof("points_selector_one_of")
    if kind == "points":
        return point_ids(selector.points.ids), None
    if kind == "filter":
        return [], point_filter(selector.filter)
    raise WrongInput("Wrong input: the request selects no points, neither by id nor by filter")
