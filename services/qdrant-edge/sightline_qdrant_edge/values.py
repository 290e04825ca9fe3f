"""Translates point ids, payloads and vectors between Qdrant's messages and the engine's Python objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from functools import lru_cache
from struct import Struct
from typing import Any, cast
from uuid import UUID

import qdrant_edge as engine
from qdrant_client import grpc as api

from sightline_qdrant_edge.errors import Unimplemented, WrongInput

PointId = int | UUID | str
"""The ids that the engine accepts; it returns no str."""
NamedVectors = dict[str, list[float] | engine.SparseVector | list[list[float]]]
"""The vectors that the engine accepts; only dense ones are used."""


def point_id(message: api.PointId) -> PointId:
    """Return a point's id: an unsigned integer or a UUID."""
    kind = message.WhichOneof("point_id_options")
    if kind == "num":
        return message.num
    if kind == "uuid":
        try:
            return UUID(message.uuid)
        except ValueError:
            raise WrongInput(f"Wrong input: Unable to parse UUID: {message.uuid}") from None
    raise WrongInput("Wrong input: a point id is neither a number nor a UUID")


def point_ids(messages: Iterable[api.PointId]) -> list[PointId]:
    """Return several ids, in order."""
    return [point_id(message) for message in messages]


def write_id(message: api.PointId, value: PointId) -> None:
    """Write an id of the engine into a message."""
    if isinstance(value, int):
        message.num = value
    else:
        message.uuid = str(value)


def _write_none(message: api.Value, _: None) -> None:
    message.null_value = api.NULL_VALUE


def _write_str(message: api.Value, value: str) -> None:
    message.string_value = value


def _write_bool(message: api.Value, value: bool) -> None:
    message.bool_value = value


def _write_int(message: api.Value, value: int) -> None:
    if -(2**63) <= value < 2**63:
        message.integer_value = value
    else:
        message.double_value = float(value)


def _write_float(message: api.Value, value: float) -> None:
    message.double_value = value


def _write_list(message: api.Value, value: list[Any]) -> None:
    message.list_value.SetInParent()
    add = message.list_value.values.add
    for item in value:
        _WRITERS[type(item)](add(), item)


def _write_dict(message: api.Value, value: dict[str, Any]) -> None:
    message.struct_value.SetInParent()
    write_payload(message.struct_value.fields, value)


# Chosen by exact type: half the time of a chain of isinstance, and this runs a thousand times a search.
_WRITERS: dict[type, Callable[[api.Value, Any], None]] = {
    str: _write_str,
    int: _write_int,
    type(None): _write_none,
    list: _write_list,
    float: _write_float,
    bool: _write_bool,
    dict: _write_dict,
}


def write_payload(fields: MutableMapping[str, api.Value], payload: Mapping[str, Any]) -> None:
    """Write a payload of plain JSON values into a message's map."""
    writers = _WRITERS
    for key, value in payload.items():
        writers[type(value)](fields[key], value)


def value(message: api.Value) -> Any:
    """Return a message's JSON value."""
    kind = message.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    if kind == "list_value":
        return [value(item) for item in message.list_value.values]
    if kind == "struct_value":
        return payload(message.struct_value.fields)
    return getattr(message, kind)


def payload(fields: Mapping[str, api.Value]) -> dict[str, Any]:
    """Return a message's map as a payload."""
    return {key: value(item) for key, item in fields.items()}


def named_vectors(stored: NamedVectors | list[float] | list[list[float]]) -> Mapping[str, list[float]]:
    """Return a point's vectors, as the engine returns them: named and dense, since no others are served."""
    return cast(Mapping[str, list[float]], stored)


def vectors(message: api.Vectors) -> dict[str, list[float]]:
    """Return a point's dense vectors by name.

    Raises:
        Unimplemented: A vector without a name, or one that is not dense.
    """
    kind = message.WhichOneof("vectors_options")
    if kind is None:
        return {}
    if kind != "vectors":
        raise Unimplemented("qdrant-edge serves named vectors only")
    return {name: _dense(vector) for name, vector in message.vectors.vectors.items()}


def _dense(message: api.Vector) -> list[float]:
    if message.WhichOneof("vector") != "dense":
        raise Unimplemented("qdrant-edge serves dense vectors only, no sparse, multi or inferred ones")
    return message.dense.data[:]


@lru_cache(maxsize=64)
def _layout(scored: bool, name: str, dimensions: int) -> tuple[bytes, Struct]:
    """Return the bytes before the numbers of a point's dense vector on the wire, and the format of the numbers."""
    numbers = Struct(f"<{dimensions}f")
    message = api.ScoredPoint() if scored else api.RetrievedPoint()
    message.vectors.vectors.vectors[name].dense.data.extend([0.0] * dimensions)
    whole = message.SerializeToString()
    return whole[: len(whole) - numbers.size], numbers


def vector_bytes(stored: Mapping[str, list[float]], *, scored: bool) -> bytes:
    """Return a point's vectors, as the engine returns them, as a serialized ScoredPoint or RetrievedPoint has them.

    A third of the time of `data.extend`, which adds one number after the other.
    """
    parts = []
    for name, data in stored.items():
        header, numbers = _layout(scored, name, len(data))
        parts += [header, numbers.pack(*data)]
    return b"".join(parts)
