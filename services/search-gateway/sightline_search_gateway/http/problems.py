"""Errors as RFC 9457 problem details: one table, one handler."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, g, request
from sightline.encoder import client as encoder
from sightline_bucket import BucketReadOnly, BucketUnavailable, KeyRefused, ObjectMissing
from sightline_catalogue import CatalogueError, CatalogueUnavailable, NoCollection, UnknownImage, WrongCursor
from sightline_pictures import PictureError
from werkzeug.exceptions import ClientDisconnected, HTTPException

from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.http.json_body import dump_json

MIME_TYPE = "application/problem+json"
log = structlog.get_logger()


@dataclass(frozen=True)
class Kind:
    """A kind of problem, as clients tell them apart."""

    status: int
    title: str


PROBLEM_TYPES: dict[str, Kind] = {
    "invalid-request": Kind(422, "The request is not valid"),
    "not-a-picture": Kind(422, "Not a picture that can be read"),
    "image-not-found": Kind(404, "No such picture"),
    "no-vector": Kind(409, "The picture has not been indexed"),
    "not-shown": Kind(404, "The picture cannot be shown"),
    "too-few": Kind(422, "Too few pictures for a map"),
    "map-not-found": Kind(404, "No such map"),
    "cross-origin": Kind(403, "Refused: the request comes from another site"),
    "read-only-bucket": Kind(403, "The bucket is read-only"),
    "key-required": Kind(401, "An API key is needed"),
    "unknown-host": Kind(421, "Unknown host name"),
    "too-large": Kind(413, "The request is too large"),
    "too-slow": Kind(408, "The request did not arrive in time"),
    "overloaded": Kind(429, "Too much to do at the moment"),
    "encoder-unavailable": Kind(503, "The encoder cannot be reached"),
    "no-encoder": Kind(503, "No encoder serves the model of this collection"),
    "catalogue-unavailable": Kind(503, "The catalogue cannot be reached"),
    "bucket-unavailable": Kind(503, "The bucket cannot be reached"),
    "queue-unavailable": Kind(503, "The queue cannot be reached"),
    "no-map-worker": Kind(503, "Maps cannot be made at the moment"),
    "not-ready": Kind(503, "Not ready"),
    "docs-missing": Kind(404, "The documentation page is not installed"),
    "internal": Kind(500, "Internal error"),
}


class Problem(ServiceError):
    """An error as HTTP tells it.

    Args:
        kind: A key of `PROBLEM_TYPES`.
        detail: What was wrong and what to do, fit to show to a person.
        headers: Sent with the answer.
        members: Extension members, such as `errors`.
    """

    def __init__(self, kind: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(kind, detail, **members)
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        """The HTTP status."""
        return PROBLEM_TYPES[self.kind].status


def retry_after(seconds: float) -> dict[str, str]:
    """Return the header that says when to come back; whole seconds, at least one."""
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def translate(error: Exception) -> Problem | None:
    """Return what a client is told about an error of one of the parts; None for what is a fault of ours."""
    match error:
        case Problem():
            return error
        case ServiceError():
            seconds = error.retry_after_seconds
            headers = retry_after(seconds) if seconds is not None else {}
            return Problem(error.kind, error.detail, headers=headers, **error.members)
        case encoder.EncoderError() | encoder.ItemError():
            return _translate_encoder(error)
        case NoCollection():
            return Problem("image-not-found", "Nothing has been indexed yet.")
        case UnknownImage():
            return Problem("image-not-found", "There is no picture of this id; it may have been removed.")
        case CatalogueUnavailable():
            return Problem(
                "catalogue-unavailable", "The catalogue does not answer; try again soon.", headers=retry_after(2)
            )
        case WrongCursor():
            return Problem(
                "invalid-request", str(error), errors=[{"in": "query", "name": "cursor", "detail": str(error)}]
            )
        case CatalogueError():
            return Problem("catalogue-unavailable", str(error), headers=retry_after(5))
        case PictureError():
            return Problem("not-a-picture", error.reason)
        case KeyRefused():
            return Problem("not-shown", str(error))
        case ObjectMissing():
            return Problem("image-not-found", "The file is no longer in the bucket.")
        case BucketReadOnly():
            return read_only_problem()
        case BucketUnavailable():
            return Problem("bucket-unavailable", str(error), headers=retry_after(5))
    return None


def _translate_encoder(error: encoder.EncoderError | encoder.ItemError) -> Problem:
    match error:
        case encoder.Overloaded():
            wait = retry_after(error.retry_after_seconds)
            return Problem("overloaded", f"The encoder is busy; try again in {wait['Retry-After']} s.", headers=wait)
        case encoder.Unavailable():
            return Problem(
                "encoder-unavailable", "The encoder does not answer; try again soon.", headers=retry_after(2)
            )
        case encoder.FingerprintMismatch():
            return Problem("no-encoder", error.message)
        case encoder.InvalidRequest() | encoder.InvalidItem():
            return Problem("invalid-request", error.message)
    return Problem("encoder-unavailable", f"The encoder failed: {error.message}", headers=retry_after(2))


def read_only_problem() -> Problem:
    """Return what a client is told that wants to change a bucket that is not to be changed."""
    return Problem(
        "read-only-bucket",
        "Pictures can be neither added nor removed here. Whoever runs Sightline can allow it: BUCKET_WRITABLE=true.",
    )


def problem_response(problem: Problem) -> Response:
    """Return the answer for a problem."""
    kind = PROBLEM_TYPES[problem.kind]
    return _response(
        kind.status,
        f"urn:sightline:problem:{problem.kind}",
        kind.title,
        problem.detail,
        problem.members,
        problem.headers,
    )


def _response(
    status: int, kind: str, title: str, detail: str, members: Mapping[str, Any], headers: Mapping[str, str]
) -> Response:
    body = {"type": kind, "title": title, "status": status, "detail": detail, "instance": quote(request.path)}
    if request_id := g.get("request_id"):
        body["request_id"] = request_id
    response = Response(dump_json({**body, **members}), status, content_type=MIME_TYPE)
    response.headers.extend(headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def _validation(error: HTTPError) -> Problem:
    """Return webargs' messages, nested as location, field, (index,) list of texts, as a flat list."""
    errors: list[dict[str, str]] = []

    def walk(place: list[str], node: object) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                walk([*place, str(key)], value)
        elif isinstance(node, list):
            location, *name = place
            shown = {"query": "query", "form_and_files": "body", "json": "body", "path": "path"}.get(location, location)
            errors.extend({"in": shown, "name": ".".join(name), "detail": str(text)} for text in node)

    walk([], error.detail)
    summary = "; ".join(f"{item['name']}: {item['detail']}" if item["name"] else item["detail"] for item in errors)
    return Problem("invalid-request", summary or str(error.message), errors=errors)


_HTTP_DETAILS = {
    404: "There is nothing at this address; /docs lists what there is.",
    405: "This address does not answer to this method; see the Allow header.",
    413: "The request is larger than this gateway accepts.",
}


def register_problems(app: APIFlask) -> Callable[[HTTPException], Response]:
    """Make every error of an app a problem; return the handler of Werkzeug's."""

    def on_http_error(error: HTTPError) -> Response:
        return problem_response(_validation(error))

    def on_werkzeug_error(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400 and error.response is not None:  # a redirect
            return error.get_response()  # type: ignore[return-value]
        if isinstance(error, ClientDisconnected):
            detail = "The request's body did not arrive in full, or too slowly."
            return problem_response(Problem("too-slow", detail))
        headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
        if status == 413:
            return problem_response(Problem("too-large", _HTTP_DETAILS[413], headers=headers))
        detail = _HTTP_DETAILS.get(status) or error.description or ""
        return _response(status, "about:blank", HTTPStatus(status).phrase, detail, {}, headers)

    def on_error(error: Exception) -> Response:
        problem = translate(error)
        if problem is None:
            log.exception("request failed", path=request.path)
            problem = Problem("internal", "Something went wrong here; the log says more under the request's id.")
        return problem_response(problem)

    app.register_error_handler(HTTPError, on_http_error)
    app.register_error_handler(HTTPException, on_werkzeug_error)
    app.register_error_handler(Exception, on_error)
    return on_werkzeug_error
