"""What the OpenAPI document says beyond the calls themselves, and shorthand for what every call documents."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from sightline_search_gateway.answer_schemas import schema_of
from sightline_search_gateway.http.problems import MIME_TYPE, PROBLEM_TYPES
from sightline_search_gateway.schemas.problems import Problem

KEYS: list[dict[str, list[Any]]] = [{}, {"ApiKey": []}, {"Bearer": []}, {"Session": []}]
"""The security of a call that needs a key only where there are keys."""
OPEN_PATHS = {"/healthz", "/readyz", "/metrics", "/api/v1/session"}
"""Those of calls that never need a key."""

DESCRIPTION = """Find pictures by what is in them.

Every error is RFC 9457 `application/problem+json`. Times are RFC 3339 in UTC. Addresses of pictures hold a version:
such an answer never changes and may be kept for ever."""
Answer = dict[str, str | dict[str, dict[str, Any]]]
Answers = dict[int | str, Answer]
PROBLEM: dict[str, dict[str, Any]] = {MIME_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


NOT_MODIFIED: Answers = {304: {"description": "As If-None-Match has it."}}


def problem_answer(status: int) -> Answer:
    """Return the OpenAPI response of an error, with the kinds of problem it may be."""
    titles = [f"{kind.title} (`{name}`)" for name, kind in PROBLEM_TYPES.items() if kind.status == status]
    answer: Answer = {"description": "; ".join(titles) or HTTPStatus(status).phrase, "content": PROBLEM}
    if status in (429, 503):
        schema = {"type": "integer"}
        answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": schema, "required": status == 429}}
    return answer


def problem_answers(*statuses: int) -> Answers:
    """Return the OpenAPI responses of the errors that a call may end in."""
    return {status: problem_answer(status) for status in statuses}


def picture_answer(description: str, *mime_types: str) -> Answers:
    """Return the OpenAPI responses of a call that sends a picture, or 304 if it has not changed."""
    content: dict[str, dict[str, Any]] = {
        kind: {"schema": {"type": "string", "format": "binary"}} for kind in mime_types
    }
    headers: dict[str, dict[str, Any]] = {
        "ETag": {"schema": {"type": "string"}},
        "Cache-Control": {"schema": {"type": "string"}},
    }
    return {200: {"description": description, "content": content, "headers": headers}, **NOT_MODIFIED}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Return APIFlask's document with what it leaves out: the problem's schema, the errors of every call, formats."""
    components = document.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in _problem_schemas().items():
        components.setdefault(name, schema)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path not in OPEN_PATHS:
                operation["security"] = KEYS
                for status in (401, 429):
                    operation["responses"].setdefault(str(status), problem_answer(status))
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
            operation["responses"]["default"] = problem_answer(500)
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    parameter["required"] = True
                    parameter["schema"] = {"type": "string", "format": "uuid"}
    return document


def _problem_schemas() -> dict[str, Any]:
    spec = APISpec(title="", version="", openapi_version="3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.schema("Problem", schema=schema_of(Problem))
    found: dict[str, Any] = spec.to_dict()["components"]["schemas"]
    return found
