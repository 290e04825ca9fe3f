"""What a request brings, checked before any schema sees it: JSON that can be read, and fields that are given once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from apiflask.schema_adapters.marshmallow import load_form_and_files, parser
from flask import Request
from marshmallow import Schema, ValidationError, fields
from webargs.multidictproxy import MultiDictProxy
from werkzeug import formparser
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.routing import BaseConverter
from werkzeug.sansio.multipart import MultipartDecoder

from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.http.bodies import JSON
from sightline_search_gateway.http.problems import MAX_NAME
from sightline_search_gateway.http.request_headers import drop_malformed
from sightline_search_gateway.maps.request import MAP_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_DIGITS = 100
"""The most digits of a number; no field takes one of more than 16."""
MAX_FIELDS = 100
"""Of an object, or of a query; no schema has as many."""
MAX_PART_HEADER = 8 * 1024
"""Bytes of what precedes the content of one part of a form."""


class BoundedDecoder(MultipartDecoder):
    """Refuses a part whose headers are long: taking these apart takes longer than their length says."""

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        if len(data) > MAX_PART_HEADER:
            raise ValueError("the headers of a part are too long")
        return super()._parse_headers(data)


# werkzeug has no other way to say which is used.
formparser.MultipartDecoder = BoundedDecoder  # type: ignore[attr-defined]


class StrictFormParser(FormDataParser):
    """Refuses a form that cannot be parsed, where werkzeug takes it for an empty one."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the form holds.

        Raises:
            ServiceError: It is malformed.
        """
        self.silent = False
        try:
            return super().parse(*args, **kwargs)
        except ValueError as error:
            raise ServiceError("malformed", f"The form cannot be read: {error or 'it is malformed'}.") from error


class GatewayRequest(Request):
    """A request whose form is read strictly, without headers that are malformed."""

    form_data_parser_class = StrictFormParser

    def __init__(self, environ: WSGIEnvironment, *args: Any, **kwargs: Any) -> None:
        drop_malformed(environ)
        super().__init__(environ, *args, **kwargs)


class MapIdConverter(BaseConverter):
    """A map's id in an address."""

    regex = MAP_ID


def use_strict_loaders() -> None:
    """Have APIFlask read JSON, forms and queries by the functions below."""
    parser.location_loader("json")(_load_json)
    parser.location_loader("query")(_load_query)
    parser.location_loader("form_and_files")(_load_form)


def parse_json(data: bytes) -> Any:
    """Return what a JSON text holds.

    Raises:
        ServiceError: It is not JSON as RFC 8259 has it, names a field twice, or is nested too deeply.
    """
    try:
        text = data.decode("utf-8")
        if not text.strip():
            raise _not_json("there is none; send an object, such as {}")
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
        )
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except UnicodeDecodeError as error:
        raise _not_json(f"it is not UTF-8 (byte {error.start + 1})") from error
    except UnicodeEncodeError as error:
        raise _not_json("a text holds half of a surrogate pair") from error
    except json.JSONDecodeError as error:
        raise _not_json(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise _not_json("lists and objects are nested too deeply") from error


def _not_json(reason: str) -> ServiceError:
    return ServiceError("malformed", f"The body is not JSON that can be read: {reason}.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_FIELDS:
        raise _not_json(f"an object has {len(pairs):,} fields")
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise _not_json(f"the field {name[:MAX_NAME]!r} is given more than once")
        made[name] = value
    return made


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _not_json(f"a number has {len(digits):,} digits")
    return int(digits)


def _fraction(digits: str) -> float:
    if len(digits) > MAX_DIGITS:
        raise _not_json(f"a number has {len(digits):,} digits")
    return float(digits)


def _constant(name: str) -> float:
    raise _not_json(f"{name} is not JSON")


def _load_json(request: Request, _: Schema) -> Any:
    return parse_json(request.get_data(cache=True))


def _load_query(request: Request, schema: Schema) -> MultiDictProxy:
    return _given_once(MultiDictProxy(request.args, schema), schema)


def _load_form(request: Request, schema: Schema) -> MultiDictProxy:
    """Return a form, with the objects that are in it as JSON; a body of JSON is such a form of one object."""
    objects = [name for name, field in schema.fields.items() if isinstance(field, fields.Nested)]
    if request.mimetype == JSON and objects:
        return MultiDictProxy(MultiDict({objects[0]: parse_json(request.get_data(cache=True))}), schema)
    sent = _given_once(load_form_and_files(request, schema), schema)
    values: MultiDict[str, Any] = sent.data  # type: ignore[assignment]
    for name in objects:
        if isinstance(values.get(name), str):
            values[name] = parse_json(values[name].encode())
    return sent


def _given_once(sent: MultiDictProxy, schema: Schema) -> MultiDictProxy:
    """Refuse a field that is given several times and takes one value: the others would be passed over."""
    single = schema.fields.keys() - sent.multiple_keys
    values: MultiDict[str, Any] = sent.data  # type: ignore[assignment]
    if len(values) > MAX_FIELDS:
        raise ServiceError("malformed", f"The request has {len(values):,} fields.")
    if twice := [name for name in values if name in single and len(values.getlist(name)) > 1]:
        raise ValidationError({name: ["Given more than once."] for name in twice})
    return sent
