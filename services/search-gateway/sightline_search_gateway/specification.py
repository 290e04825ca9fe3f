"""What the OpenAPI document says beyond the calls themselves."""

from __future__ import annotations

from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from sightline_search_gateway import schemas
from sightline_search_gateway.documentation import problem_answer

DESCRIPTION = """Find pictures by what is in them.

Every error is RFC 9457 `application/problem+json`. Times are RFC 3339 in UTC. Addresses of pictures hold a version:
such an answer never changes and may be kept for ever."""


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Return APIFlask's document with what it leaves out: the problem's schema, the errors of every call, formats."""
    components = document.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in _problem_schemas().items():
        components.setdefault(name, schema)
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = problem_answer(500)
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    parameter["required"] = True
                    parameter["schema"] = {"type": "string", "format": "uuid"}
    return document


def _problem_schemas() -> dict[str, Any]:
    spec = APISpec(title="", version="", openapi_version="3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.schema("Problem", schema=schemas.Problem)
    found: dict[str, Any] = spec.to_dict()["components"]["schemas"]
    return found
