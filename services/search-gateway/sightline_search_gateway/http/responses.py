"""Answers: JSON, written straight from TypedDicts and dataclasses, and pictures."""

from __future__ import annotations

import time
from typing import Any

from flask import Response, g, request

from sightline_search_gateway.http.json_body import dump_json
from sightline_search_gateway.http.serializers import serialize_search
from sightline_search_gateway.http.telemetry import Telemetry
from sightline_search_gateway.search.service import SearchOutcome

FOR_EVER = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"
# Pictures are people's: no page of another site may show them, and nothing in them may run.
PICTURE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


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


def search_response(outcome: SearchOutcome, telemetry: Telemetry) -> Response:
    """Return the answer of a search, and note how long its steps took."""
    timings = outcome.timings
    response = json_response(serialize_search(outcome, time.perf_counter() - g.began))
    total = time.perf_counter() - g.began
    steps = {"encode": timings.encode, "search": timings.search, "cluster": timings.cluster}
    durations = ", ".join(f"{step};dur={seconds * 1000:.3f}" for step, seconds in steps.items())
    response.headers["Server-Timing"] = f"{durations}, total;dur={total * 1000:.3f}"
    for step, seconds in (steps | {"rest": total - sum(steps.values())}).items():
        telemetry.step(step, seconds)
    g.log_fields = {"results": len(outcome.found.images)} | {
        f"{step}_ms": round(seconds * 1000, 3) for step, seconds in steps.items()
    }
    return response


def has_etag(tag: str) -> bool:
    """Return whether the client has what an ETag names."""
    return request.if_none_match.contains_weak(tag)


def picture_response(data: bytes, media_type: str, tag: str, *, keep: bool) -> Response:
    """Return a picture, or 304 where the client has it.

    Args:
        data: Not looked at where the client has it.
        media_type: Of the data.
        tag: Its ETag, another for other bytes.
        keep: Whether its address will never have other bytes.
    """
    response = Response(status=304) if has_etag(tag) else Response(data, content_type=media_type)
    response.set_etag(tag)
    response.headers["Cache-Control"] = FOR_EVER if keep else ASK_AGAIN
    response.headers.extend(PICTURE_HEADERS)
    return response
