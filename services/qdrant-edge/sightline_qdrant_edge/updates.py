"""Writes, from Qdrant's messages to the engine's operations; the same for a call and for its replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import qdrant_edge as engine
from google.protobuf.message import Message
from qdrant_client import grpc as api
from sightline_service.batches import batched

from sightline_qdrant_edge.errors import WrongInput
from sightline_qdrant_edge.filters import point_filter
from sightline_qdrant_edge.schema import field_index
from sightline_qdrant_edge.values import payload, point_id, point_ids, vectors, vectors_given

Operation = engine.UpdateOperation

# The engine holds the interpreter's lock for the whole of an operation (1 ms for a hundred points), so that a large
# upsert is handed over in parts and searches get their turn in between.
_POINTS_AN_OPERATION = 256

_UPDATE_MODES = {
    api.UpdateMode.Upsert: engine.UpdateMode.Upsert,
    api.UpdateMode.InsertOnly: engine.UpdateMode.InsertOnly,
    api.UpdateMode.UpdateOnly: engine.UpdateMode.UpdateOnly,
}

# Every kind of write: its name in the journal and its message.
WRITES: dict[str, type[Message]] = {
    "Upsert": api.UpsertPoints,
    "Delete": api.DeletePoints,
    "SetPayload": api.SetPayloadPoints,
    "OverwritePayload": api.SetPayloadPoints,
    "DeletePayload": api.DeletePayloadPoints,
    "ClearPayload": api.ClearPayloadPoints,
    "UpdateVectors": api.UpdatePointVectors,
    "DeleteVectors": api.DeletePointVectors,
    "CreateFieldIndex": api.CreateFieldIndexCollection,
    "DeleteFieldIndex": api.DeleteFieldIndexCollection,
}


def operations(kind: str, request: Any, dimensions: Mapping[str, int]) -> list[Operation]:
    """Return a write as operations of the engine.

    Args:
        kind: One of `WRITES`.
        request: Its message.
        dimensions: The size of each vector of the collection, by name.

    Raises:
        WrongInput: The whole request is refused, before any of it is applied.
    """
    return list(_TRANSLATIONS[kind](request, dimensions))


def moved(kind: str, request: Any) -> int | engine.Filter:
    """Return how many points a write takes out of the index, at most, or the filter that selects them.

    A point of an indexed segment whose vector or payload changes is moved to the segment that takes new points, which
    has no index. Points without a vector need none, and deleting moves nothing.
    """
    if kind == "Upsert":
        return sum(1 for point in request.points if point.HasField("vectors") and vectors_given(point.vectors))
    if kind == "UpdateVectors":
        return len(request.points)
    if kind in ("SetPayload", "OverwritePayload", "DeletePayload", "ClearPayload", "DeleteVectors"):
        selector = request.points if kind == "ClearPayload" else request.points_selector
        ids, found = _selected(selector)
        return len(ids) if found is None else found
    return 0


def _upsert(request: api.UpsertPoints, dimensions: Mapping[str, int]) -> Iterator[Operation]:
    points = [
        engine.Point(point_id(point.id), _checked(point, dimensions), payload(point.payload))
        for point in request.points
    ]
    if not points:
        raise WrongInput("Wrong input: the upsert holds no points")
    condition = point_filter(request.update_filter) if request.HasField("update_filter") else None
    mode = _UPDATE_MODES[request.update_mode] if request.HasField("update_mode") else None
    for some in batched(points, _POINTS_AN_OPERATION):
        yield Operation.upsert_points(list(some), condition, mode)


def _checked(point: Any, dimensions: Mapping[str, int]) -> Any:
    """Return a point's vectors, refused here: the engine would apply the points before the wrong one."""
    found = vectors(point.vectors)
    for name, data in found.items():
        expected = dimensions.get(name)
        if expected is None:
            raise WrongInput(f"Wrong input: Not existing vector name error: {name}")
        if len(data) != expected:
            raise WrongInput(f"Wrong input: Vector dimension error: expected dim: {expected}, got {len(data)}")
    unnamed = found.get("")
    return found if unnamed is None else unnamed


def _delete(request: api.DeletePoints, _: Mapping[str, int]) -> Iterator[Operation]:
    ids, found = _selected(request.points)
    if found is None:
        yield Operation.delete_points(ids)
    else:
        yield Operation.delete_points_by_filter(found)


def _set_payload(request: api.SetPayloadPoints, _: Mapping[str, int]) -> Iterator[Operation]:
    ids, found = _selected(request.points_selector)
    key = request.key if request.HasField("key") else None
    if found is None:
        yield Operation.set_payload(ids, payload(request.payload), key)
    else:
        yield Operation.set_payload_by_filter(found, payload(request.payload), key)


def _overwrite_payload(request: api.SetPayloadPoints, _: Mapping[str, int]) -> Iterator[Operation]:
    ids, found = _selected(request.points_selector)
    key = request.key if request.HasField("key") else None
    if found is None:
        yield Operation.overwrite_payload(ids, payload(request.payload), key)
    else:
        yield Operation.overwrite_payload_by_filter(found, payload(request.payload), key)


def _delete_payload(request: api.DeletePayloadPoints, _: Mapping[str, int]) -> Iterator[Operation]:
    ids, found = _selected(request.points_selector)
    if found is None:
        yield Operation.delete_payload(ids, list(request.keys))
    else:
        yield Operation.delete_payload_by_filter(found, list(request.keys))


def _clear_payload(request: api.ClearPayloadPoints, _: Mapping[str, int]) -> Iterator[Operation]:
    ids, found = _selected(request.points)
    if found is None:
        yield Operation.clear_payload(ids)
    else:
        yield Operation.clear_payload_by_filter(found)


def _update_vectors(request: api.UpdatePointVectors, dimensions: Mapping[str, int]) -> Iterator[Operation]:
    condition = point_filter(request.update_filter) if request.HasField("update_filter") else None
    yield Operation.update_vectors(
        [engine.PointVectors(point_id(point.id), _checked(point, dimensions)) for point in request.points], condition
    )


def _delete_vectors(request: api.DeletePointVectors, dimensions: Mapping[str, int]) -> Iterator[Operation]:
    ids, found = _selected(request.points_selector)
    names = list(request.vectors.names)
    for name in names:
        if name not in dimensions:
            raise WrongInput(f"Wrong input: Not existing vector name error: {name}")
    if found is None:
        yield Operation.delete_vectors(ids, names)
    else:
        yield Operation.delete_vectors_by_filter(found, names)


def _create_index(request: api.CreateFieldIndexCollection, _: Mapping[str, int]) -> Iterator[Operation]:
    yield Operation.create_field_index(request.field_name, field_index(request))


def _delete_index(request: api.DeleteFieldIndexCollection, _: Mapping[str, int]) -> Iterator[Operation]:
    yield Operation.delete_field_index(request.field_name)


def _selected(selector: api.PointsSelector) -> tuple[list[Any], engine.Filter | None]:
    kind = selector.WhichOneof("points_selector_one_of")
    if kind == "points":
        return point_ids(selector.points.ids), None
    if kind == "filter":
        return [], point_filter(selector.filter)
    raise WrongInput("Wrong input: the request selects no points, neither by id nor by filter")


_TRANSLATIONS: dict[str, Any] = {
    "Upsert": _upsert,
    "Delete": _delete,
    "SetPayload": _set_payload,
    "OverwritePayload": _overwrite_payload,
    "DeletePayload": _delete_payload,
    "ClearPayload": _clear_payload,
    "UpdateVectors": _update_vectors,
    "DeleteVectors": _delete_vectors,
    "CreateFieldIndex": _create_index,
    "DeleteFieldIndex": _delete_index,
}
