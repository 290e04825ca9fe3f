"""JSON answers, written straight from plain dicts.

Sending 50 results through a schema would cost more than the search itself; the schemas document, tests hold the
answers to them.
"""

from __future__ import annotations

import json
from typing import Any

import orjson
from flask import Response, request


def dump_json(value: Any) -> bytes:
    """Return JSON as UTF-8; datetimes as RFC 3339 in UTC with a Z."""
    try:
        return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC)
    except TypeError:
        # A file's name that is not UTF-8 holds lone surrogates, which orjson refuses; escapes carry them.
        return json.dumps(value, default=str).encode("ascii")


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer that no cache keeps."""
    response = Response(dump_json(value), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    if headers:
        response.headers.extend(headers)
    return response


def conditional(response: Response) -> Response:
    """Return an answer with an ETag of its bytes; 304 where the client has it already."""
    response.add_etag()
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response
