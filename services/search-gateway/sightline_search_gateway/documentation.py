"""Shorthand for what every call documents."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from sightline_search_gateway.problems import KINDS, MIME_TYPE

Answer = dict[str, str | dict[str, dict[str, Any]]]
Answers = dict[int | str, Answer]
PROBLEM: dict[str, dict[str, Any]] = {MIME_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


NOT_MODIFIED: Answers = {304: {"description": "As If-None-Match has it."}}


def problem_answer(status: int) -> Answer:
    """Return the OpenAPI response of an error, with the kinds of problem it may be."""
    titles = [f"{kind.title} (`{name}`)" for name, kind in KINDS.items() if kind.status == status]
    answer: Answer = {"description": "; ".join(titles) or HTTPStatus(status).phrase, "content": PROBLEM}
    if status in (429, 503):
        schema = {"type": "integer"}
        answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": schema, "required": status == 429}}
    return answer


def problem_answers(*statuses: int) -> Answers:
    """Return the OpenAPI responses of the errors that a call may end in."""
    return {status: problem_answer(status) for status in statuses}


def picture_answer(description: str, *mime_types: str) -> Answers:
    """Return the OpenAPI responses of a call that sends a picture and can be asked whether it has changed."""
    content: dict[str, dict[str, Any]] = {
        kind: {"schema": {"type": "string", "format": "binary"}} for kind in mime_types
    }
    headers: dict[str, dict[str, Any]] = {
        "ETag": {"schema": {"type": "string"}},
        "Cache-Control": {"schema": {"type": "string"}},
    }
    return {200: {"description": description, "content": content, "headers": headers}, **NOT_MODIFIED}


def text_answer(description: str) -> Answers:
    """Return the OpenAPI response of a call that sends plain text."""
    return {200: {"description": description, "content": {"text/plain": {"schema": {"type": "string"}}}}}
