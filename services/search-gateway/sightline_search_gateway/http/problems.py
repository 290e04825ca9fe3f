"""Errors as RFC 9457 problem details: one table, one handler."""

from __future__ import annotations

import errno
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

import redis
import structlog
from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, g, request
from sightline.encoder import client as encoder
from sightline_bucket import (
    BucketError,
    BucketReadOnly,
    BucketUnavailable,
    KeyRefused,
    ObjectMissing,
    ObjectUnreadable,
    StoreFull,
)
from sightline_catalogue import (
    CatalogueDiskFull,
    CatalogueError,
    CatalogueUnavailable,
    NoCollection,
    NotDerived,
    TooDeep,
    UnknownImage,
    WrongCursor,
)
from sightline_pictures import PictureError
from werkzeug.exceptions import ClientDisconnected, HTTPException

from sightline_search_gateway.errors import ServiceError, disk_full, queue_problem
from sightline_search_gateway.http.json_body import dump_json
from sightline_search_gateway.schemas.problems import FieldError, Problem

MIME_TYPE = "application/problem+json"
MAX_NAME = 100
"""How many characters of a field's name a problem repeats."""
MAX_ERRORS = 20
"""What is wrong with a request, as a problem says it."""
log = structlog.get_logger()


@dataclass(frozen=True)
class ProblemType:
    """A type of problem, as clients tell them apart."""

    status: int
    title: str


PROBLEM_TYPES: dict[str, ProblemType] = {
    "malformed": ProblemType(400, "The request cannot be read"),
    "invalid-request": ProblemType(422, "The request is not valid"),
    "not-a-picture": ProblemType(422, "Not a picture that can be read"),
    "too-deep": ProblemType(422, "Deeper than a search goes"),
    "image-not-found": ProblemType(404, "No such picture"),
    "no-vector": ProblemType(409, "The picture has not been indexed"),
    "not-shown": ProblemType(404, "The picture cannot be shown"),
    "too-few": ProblemType(422, "Too few pictures for a map"),
    "map-not-found": ProblemType(404, "No such map"),
    "cross-origin": ProblemType(403, "Refused: the request comes from another site"),
    "read-only-bucket": ProblemType(403, "The bucket is read-only"),
    "key-required": ProblemType(401, "A key is needed"),
    "wrong-key": ProblemType(401, "None of the keys"),
    "not-allowed": ProblemType(403, "Not allowed to change anything"),
    "too-many-keys": ProblemType(429, "Too many wrong keys"),
    "unknown-host": ProblemType(421, "Unknown host name"),
    "too-large": ProblemType(413, "The request is too large"),
    "too-slow": ProblemType(408, "The request did not arrive in time"),
    "overloaded": ProblemType(429, "Too much to do at the moment"),
    "encoder-unavailable": ProblemType(503, "The encoder cannot be reached"),
    "no-encoder": ProblemType(503, "No encoder serves the model of this collection"),
    "catalogue-unavailable": ProblemType(503, "The catalogue cannot be reached"),
    "bucket-unavailable": ProblemType(503, "The bucket cannot be reached"),
    "queue-unavailable": ProblemType(503, "The queue cannot be reached"),
    "no-map-worker": ProblemType(503, "Maps cannot be made at the moment"),
    "disk-full": ProblemType(503, "The disk is full"),
    "no-room": ProblemType(503, "No room at the moment"),
    "not-ready": ProblemType(503, "Not ready"),
    "docs-missing": ProblemType(404, "The documentation page is not installed"),
    "internal": ProblemType(500, "Internal error"),
}


def translate(error: Exception) -> ServiceError | None:
    """Return the error to show to a client for an error of a client library or service; None for a bug."""
    match error:
        case ServiceError():
            return error
        case encoder.EncoderError() | encoder.ItemError():
            return _translate_encoder(error)
        case NoCollection():
            return ServiceError("image-not-found", "Nothing has been indexed yet.")
        case UnknownImage():
            return ServiceError("image-not-found", "There is no picture of this id; it may have been removed.")
        case CatalogueDiskFull():
            return disk_full(str(error))
        case CatalogueUnavailable():
            return ServiceError(
                "catalogue-unavailable", "The catalogue does not answer; try again soon.", retry_after_seconds=2
            )
        case TooDeep():
            return ServiceError("too-deep", str(error))
        case NotDerived():
            return ServiceError("not-ready", str(error), retry_after_seconds=10)
        case WrongCursor():
            return ServiceError(
                "invalid-request", str(error), errors=[{"in": "query", "name": "cursor", "detail": str(error)}]
            )
        case CatalogueError():
            # The log has it: an answer tells nobody where the database, or a bucket, is.
            log.warning("the catalogue failed", error=str(error))
            detail = "The catalogue cannot answer; the log says more under the request's id."
            return ServiceError("catalogue-unavailable", detail, retry_after_seconds=5)
        case PictureError():
            return ServiceError("not-a-picture", error.reason)
        case BucketError():
            return _translate_bucket(error)
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            # A form's file, or an answer's, in the folder of temporary files.
            return no_room()
        case redis.RedisError():
            return queue_problem(error)
    return None


def _translate_bucket(error: BucketError) -> ServiceError | None:
    match error:
        case KeyRefused() | ObjectUnreadable():
            return ServiceError("not-shown", str(error))
        case ObjectMissing():
            return ServiceError("image-not-found", "The file is no longer in the bucket.")
        case BucketReadOnly():
            return read_only_problem()
        case StoreFull():
            log.warning("the disk is full", error=str(error))
            return disk_full("there is no room for the file, or for the thumbnails; try again once there is")
        case BucketUnavailable():
            log.warning("the bucket cannot be reached", error=str(error))
            detail = "The bucket cannot be reached; the log says more under the request's id."
            return ServiceError("bucket-unavailable", detail, retry_after_seconds=5)
    return None


def _translate_encoder(error: encoder.EncoderError | encoder.ItemError) -> ServiceError:
    match error:
        case encoder.Overloaded():
            seconds = whole_seconds(error.retry_after_seconds)
            return ServiceError(
                "overloaded", f"The encoder is busy; try again in {seconds} s.", retry_after_seconds=seconds
            )
        case encoder.Unavailable():
            return ServiceError(
                "encoder-unavailable", "The encoder does not answer; try again soon.", retry_after_seconds=2
            )
        case encoder.FingerprintMismatch():
            return ServiceError("no-encoder", error.message)
        case encoder.InvalidRequest() | encoder.InvalidItem():
            return ServiceError("invalid-request", error.message)
    return ServiceError("encoder-unavailable", f"The encoder failed: {error.message}", retry_after_seconds=2)


def no_room() -> ServiceError:
    """Return the error of what there is no room for at the moment."""
    return ServiceError("no-room", "There is no room for so much at the moment; try again soon.", retry_after_seconds=5)


def read_only_problem() -> ServiceError:
    """Return the error of a change where the bucket is read-only."""
    return ServiceError(
        "read-only-bucket",
        "Pictures can be neither added nor removed here. Whoever runs Sightline can allow it: BUCKET_WRITABLE=true.",
    )


def problem_response(problem: ServiceError, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer for an error."""
    kind = PROBLEM_TYPES[problem.kind]
    sent = dict(headers or {})
    if problem.retry_after_seconds is not None:
        sent["Retry-After"] = str(whole_seconds(problem.retry_after_seconds))
    if kind.status == 401:
        sent["WWW-Authenticate"] = "Bearer"
    body = Problem(
        type=f"urn:sightline:problem:{problem.kind}",
        title=kind.title,
        status=kind.status,
        detail=problem.detail,
        **problem.members,  # type: ignore[typeddict-item]
    )
    return _response(body, sent)


def whole_seconds(seconds: float) -> int:
    """Return the seconds of a Retry-After header: at least one."""
    return max(1, math.ceil(seconds))


def _response(body: Problem, headers: Mapping[str, str]) -> Response:
    body["instance"] = quote(request.path)
    if request_id := g.get("request_id"):
        body["request_id"] = request_id
    response = Response(dump_json(body), body["status"], content_type=MIME_TYPE)
    response.headers.extend(headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def _validation(error: HTTPError) -> ServiceError:
    """Return webargs' messages, nested as location, field, (index,) list of texts, as a flat list."""
    errors: list[FieldError] = []

    def walk(place: list[str], node: object) -> None:
        if len(errors) >= MAX_ERRORS:
            return
        if isinstance(node, dict):
            for key, value in node.items():
                walk([*place, str(key)], value)
        elif isinstance(node, list):
            location, *name = place
            shown = {"query": "query", "form_and_files": "body", "json": "body", "path": "path"}.get(location, location)
            # The client may have invented the name, of any length.
            shown_name = ".".join(name)[:MAX_NAME]
            errors.extend({"in": shown, "name": shown_name, "detail": str(text)} for text in node[:MAX_ERRORS])

    walk([], error.detail)
    errors = errors[:MAX_ERRORS]
    summary = "; ".join(f"{item['name']}: {item['detail']}" if item["name"] else item["detail"] for item in errors)
    return ServiceError("invalid-request", summary or str(error.message), errors=errors)


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
            return problem_response(ServiceError("too-slow", detail))
        headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
        if status == 413:
            return problem_response(ServiceError("too-large", _HTTP_DETAILS[413]), headers)
        detail = _HTTP_DETAILS.get(status) or error.description or ""
        title = HTTPStatus(status).phrase
        return _response(Problem(type="about:blank", title=title, status=status, detail=detail), headers)

    def on_error(error: Exception) -> Response:
        problem = translate(error)
        if problem is None:
            log.exception("request failed", path=request.path)
            problem = ServiceError("internal", "Something went wrong here; the log says more under the request's id.")
        return problem_response(problem)

    app.register_error_handler(HTTPError, on_http_error)
    app.register_error_handler(HTTPException, on_werkzeug_error)
    app.register_error_handler(Exception, on_error)
    return on_werkzeug_error
