"""Answers: JSON, written straight from TypedDicts and dataclasses, and pictures."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import structlog
from flask import Response, g, request
from sightline_bucket import BucketError, OpenObject
from werkzeug.http import dump_options_header

from sightline_search_gateway.http.json_body import dump_json
from sightline_search_gateway.http.media_types import SNIFFED_BYTES, UNKNOWN, media_type
from sightline_search_gateway.http.serializers import serialize_search
from sightline_search_gateway.http.telemetry import Telemetry
from sightline_search_gateway.search.service import SearchOutcome

log = structlog.get_logger()
CHUNK_BYTES = 1024 * 1024
"""How many bytes of a file are read, and held in memory, at once."""
NOT_PLAIN = re.compile(r'["%\\/]')
UNQUOTED = "!#$&+-.^_`|~"
"""What RFC 8187 lets stand in an encoded value, beside letters and digits."""
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
    steps = {
        "encode": timings.encode,
        "search": timings.search,
        "named": timings.named,
        "cluster": timings.cluster,
    }
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


def file_response(opened: OpenObject, name: str, tag: str, *, keep: bool) -> Response:
    """Return a file of the bucket, or the range of it that is asked for; it is read while it is sent.

    Args:
        opened: Closed by whoever opened it, once the response is closed.
        name: By which a browser saves it.
        tag: Its ETag.
        keep: Whether its address will never have other bytes.

    Raises:
        RequestedRangeNotSatisfiable: It has no such range.
    """
    size = opened.object.size
    response = Response()
    response.set_etag(tag)
    response.last_modified = opened.object.modified_at
    response.make_conditional(request, accept_ranges=_is_one_range() and not has_etag(tag), complete_length=size)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = FOR_EVER if keep else ASK_AGAIN
    response.headers.extend(PICTURE_HEADERS)
    if response.status_code in (304, 412):
        # It repeats no headers of the file: the client keeps those of its earlier answer.
        return response
    kind = media_type(opened.read(0, SNIFFED_BYTES))
    response.content_type = kind
    disposition = "attachment" if kind == UNKNOWN else "inline"
    response.headers["Content-Disposition"] = content_disposition(disposition, name)
    wanted = response.content_range
    start, stop = (wanted.start or 0, wanted.stop or 0) if response.status_code == 206 else (0, size)
    response.content_length = stop - start
    response.response = _chunks(opened, start, stop)
    return response


def content_disposition(disposition: str, name: str) -> str:
    """Return the header that names a file, by RFC 6266: in ASCII, and where that is not its own name in UTF-8 too."""
    own = "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cs"))
    plain = unicodedata.normalize("NFKD", own).encode("ascii", "ignore").decode()
    # Quotes and backslashes have to be escaped and % is decoded, by some browsers and not by others.
    plain = NOT_PLAIN.sub("_", plain).strip() or "picture"
    if plain.startswith("."):
        plain = f"picture{plain}"
    options = {"filename": plain}
    if plain != own:
        options["filename*"] = f"UTF-8''{quote(own, safe=UNQUOTED)}"
    return dump_options_header(disposition, options)


def _is_one_range() -> bool:
    """Return whether one range is asked for that can be answered; several are answered with the whole file."""
    wanted = request.range if request.method == "GET" else None
    return wanted is not None and wanted.units == "bytes" and len(wanted.ranges) == 1


def _chunks(opened: OpenObject, start: int, stop: int) -> Iterator[bytes]:
    """Yield a file's bytes. Where they cannot be read it ends early, and so does the connection."""
    try:
        while start < stop and (data := opened.read(start, min(CHUNK_BYTES, stop - start))):
            yield data
            start += len(data)
    except BucketError as error:
        log.warning("a file could not be read to its end", key=opened.object.key, error=str(error))
