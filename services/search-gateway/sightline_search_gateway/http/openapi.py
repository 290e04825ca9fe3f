"""What the OpenAPI document says beyond the calls themselves, and shorthand for what every call documents."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from sightline_search_gateway.answer_schemas import schema_of
from sightline_search_gateway.http import examples
from sightline_search_gateway.http.media_types import UNKNOWN
from sightline_search_gateway.http.problems import MIME_TYPE, PROBLEM_TYPES
from sightline_search_gateway.maps.request import MAP_ID
from sightline_search_gateway.schemas.maps import MOST_POINTS
from sightline_search_gateway.schemas.problems import Problem

KEYS: list[dict[str, list[Any]]] = [{}, {"ApiKey": []}, {"Bearer": []}, {"Session": []}]
"""The security of a call that needs a key only where there are keys."""

DESCRIPTION = """Find pictures by what is in them.

Every error is RFC 9457 `application/problem+json`. Times are RFC 3339 in UTC, but for `taken_at` and the filters
`after` and `before`: they are what the clock on the wall showed where a picture was taken, without an offset. Addresses
of pictures hold a version: such an answer never changes and may be kept for ever."""
Answer = dict[str, str | dict[str, dict[str, Any]]]
Answers = dict[int | str, Answer]
PROBLEM = {"$ref": "#/components/schemas/Problem"}
JSON_SCHEMAS = {"search": {"$ref": "#/components/schemas/ComposedQuery"}}
"""Of the calls that take JSON in place of a form."""
PATH_SCHEMAS: dict[str, dict[str, Any]] = {
    "image_id": {"type": "string", "format": "uuid"},
    "map_id": {"type": "string", "pattern": f"^{MAP_ID}$"},
    "index": {"type": "integer", "minimum": 0, "maximum": MOST_POINTS - 1},
}
RANGE: dict[str, Any] = {
    "name": "Range",
    "in": "header",
    "description": "Part of the file: one range of bytes. To anything else the whole file is the answer.",
    "schema": {"type": "string"},
}
PICTURE_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {"schema": {"type": "string"}},
    "Cache-Control": {"schema": {"type": "string"}},
}
NOT_MODIFIED: Answers = {304: {"description": "As If-None-Match has it."}}


def problem_answer(status: int) -> Answer:
    """Return the OpenAPI response of an error, with the kinds of problem it may be."""
    kinds = {name: kind for name, kind in PROBLEM_TYPES.items() if kind.status == status}
    titles = [f"{kind.title} (`{name}`)" for name, kind in kinds.items()]
    answer: Answer = {"description": "; ".join(titles) or HTTPStatus(status).phrase}
    if kinds:
        examples = {name: {"$ref": f"#/components/examples/{name}"} for name in kinds}
        answer["content"] = {MIME_TYPE: {"schema": PROBLEM, "examples": examples}}
    else:
        answer["content"] = {MIME_TYPE: {"schema": PROBLEM, "example": _plain_problem(status)}}
    if status in (429, 503):
        schema = {"type": "integer"}
        answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": schema, "required": status == 429}}
    return answer


def problem_answers(*statuses: int) -> Answers:
    """Return the OpenAPI responses of the errors that a call may end in."""
    return {status: problem_answer(status) for status in statuses}


def picture_answer(description: str, *mime_types: str) -> Answers:
    """Return the OpenAPI responses of a call that sends a picture, or 304 if it has not changed."""
    if UNKNOWN not in mime_types:
        description += f" `{UNKNOWN}` is here for generated clients, many of which read bytes of no other type."
    content: dict[str, dict[str, Any]] = {
        kind: {"schema": {"type": "string", "format": "binary"}} for kind in dict.fromkeys((*mime_types, UNKNOWN))
    }
    return {200: {"description": description, "content": content, "headers": PICTURE_HEADERS}, **NOT_MODIFIED}


def ranged(answers: Answers) -> Answers:
    """Return the OpenAPI responses of a call that sends a file, with that of one that sends a part of it."""
    headers = {"Content-Range": {"schema": {"type": "string"}}, "Accept-Ranges": {"schema": {"type": "string"}}}
    return answers | {206: {**answers[200], "description": "The part that Range names.", "headers": headers}}


def complete(document: dict[str, Any], open_paths: set[str]) -> dict[str, Any]:
    """Return APIFlask's document with what it leaves out: problems, the errors of every call, formats, examples.

    Args:
        document: What APIFlask makes.
        open_paths: Those of the calls that never need a key.
    """
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name, schema in _problem_schemas().items():
        schemas.setdefault(name, schema)
    for schema in schemas.values():
        for described in schema["properties"].values():
            _describe_default(described)
    components["examples"] = {name: {"value": _problem(name)} for name in PROBLEM_TYPES}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path not in open_paths:
                operation["security"] = KEYS
                for status in (401, 429):
                    operation["responses"].setdefault(str(status), problem_answer(status))
            _complete_operation(operation)
    return document


def _describe_default(field: dict[str, Any]) -> None:
    """Say a field's default in words: generated clients take a field with a `default` for one that must be sent."""
    if "default" in field:
        default = json.dumps(field.pop("default"))
        field["description"] = f"{field.get('description', '')} {default} where it is not given.".strip()


def _complete_operation(operation: dict[str, Any]) -> None:
    name = operation["operationId"]
    operation["responses"]["default"] = {**problem_answer(500), "description": "Any other error."}
    if name == "getImageFile":
        operation["parameters"].append(dict(RANGE))
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["required"] = True
            parameter["schema"] = PATH_SCHEMAS[parameter["name"]]
        if parameter["name"] in examples.PARAMETERS:
            parameter["example"] = examples.PARAMETERS[parameter["name"]]
    if body := operation.get("requestBody"):
        body["required"] = True
        if name in JSON_SCHEMAS:
            body["content"]["application/json"] = {"schema": dict(JSON_SCHEMAS[name])}
            # Of two bodies, one of which is needed, openapi-python-client writes code that cannot be imported.
            body["required"] = False
        for kind, content in body["content"].items():
            content["example"] = (examples.JSON_BODIES if kind == "application/json" else examples.BODIES).get(
                name, examples.BODIES[name]
            )
    for status, response in operation["responses"].items():
        for kind, content in response.get("content", {}).items():
            if str(status).startswith("2") and kind in ("application/json", "text/plain"):
                content["example"] = examples.ANSWERS[name]


def _problem(name: str) -> dict[str, Any]:
    kind = PROBLEM_TYPES[name]
    return {
        "type": f"urn:sightline:problem:{name}",
        "title": kind.title,
        "status": kind.status,
        "detail": f"{kind.title}.",
        "instance": "/api/v1/...",
        "request_id": "5f0c1d2e3b4a5968",
    }


def _plain_problem(status: int) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": phrase, "status": status, "detail": f"{phrase}."}


def _problem_schemas() -> dict[str, Any]:
    spec = APISpec(title="", version="", openapi_version="3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.schema("Problem", schema=schema_of(Problem))
    found: dict[str, Any] = spec.to_dict()["components"]["schemas"]
    return found
