"""JSON answers are defined once, as dataclasses or TypedDicts; the OpenAPI document's schemas follow from these.

A field's type says the rest: `Annotated[int, "Pixels."]` has a description, `int | None` may be null, a Literal is an
enumeration. orjson writes the values as they are.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import numpy as np
from apiflask import Schema
from marshmallow import fields, validate

Uuid = Annotated[str, UUID]
"""A string that is a UUID."""


class Form(NamedTuple):
    """The form of a string, as OpenAPI has it."""

    format: str | None
    pattern: str


WallTime = Annotated[str, Form("date-time-local", r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{6})?$")]
"""A time without an offset, such as 2008-08-08T23:30:00."""
Offset = Annotated[str, Form(None, r"^[+-]\d{2}:\d{2}$")]
"""An offset from UTC, such as +02:00."""
PLAIN: dict[Any, type[fields.Field[Any]]] = {
    str: fields.String,
    int: fields.Integer,
    float: fields.Float,
    bool: fields.Boolean,
    datetime: fields.DateTime,
}
NUMBERS: dict[Any, Any] = {bool: np.bool_, int: np.integer, float: np.floating}


@cache
def schema_of(answer: type[Any]) -> type[Schema]:
    """Return the schema of a dataclass or TypedDict, under its name."""
    hints = get_type_hints(answer, include_extras=True)
    schema = Schema.from_dict({name: _field(hint) for name, hint in hints.items()}, name=answer.__name__)
    return cast("type[Schema]", schema)


def _field(hint: Any) -> fields.Field[Any]:
    """Return the field of a type; required unless it is NotRequired."""
    extras: list[Any] = []
    required, nullable = True, False
    while (origin := get_origin(hint)) in (NotRequired, Annotated, Union, UnionType):
        hint, *rest = get_args(hint)
        if origin is NotRequired:
            required = False
        elif origin is Annotated:
            extras += rest
        else:
            assert rest == [NoneType], "an answer's field is of one type, or null"
            nullable = True
    description = next((extra for extra in extras if isinstance(extra, str)), None)
    metadata = {"description": description} if description else {}
    form = next((extra for extra in extras if isinstance(extra, Form)), None)
    metadata |= {name: value for name, value in form._asdict().items() if value} if form else {}
    options: dict[str, Any] = {"required": required, "allow_none": nullable, "metadata": metadata}
    return fields.UUID(**options) if UUID in extras else _field_of(hint, options)


def _field_of(kind: Any, options: dict[str, Any]) -> fields.Field[Any]:
    if kind in PLAIN:
        return PLAIN[kind](**options)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is dict:
        return fields.Dict(keys=fields.String(), **options)
    if origin is Literal:
        return fields.String(validate=validate.OneOf(arguments), **options)
    if origin is np.ndarray:
        number = get_args(arguments[1])[0]
        item = next(PLAIN[plain] for plain, numbers in NUMBERS.items() if issubclass(number, numbers))
        return fields.List(item(), **options)
    if origin in (list, tuple):
        if get_origin(arguments[0]) is None and arguments[0] not in PLAIN:
            return fields.Nested(schema_of(arguments[0]), many=True, **options)
        return fields.List(_field(arguments[0]), **options)
    return fields.Nested(schema_of(kind), **options)
