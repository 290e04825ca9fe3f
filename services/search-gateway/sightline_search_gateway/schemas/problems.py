"""Errors."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from sightline_search_gateway.errors import Refused

FieldError = TypedDict("FieldError", {"in": Annotated[str, "query, body or path"], "name": str, "detail": str})
"""What is wrong with one part of a request."""


class Problem(TypedDict):
    """An error, as RFC 9457 describes it."""

    type: Annotated[str, "`urn:sightline:problem:KIND`, or `about:blank` where the status says it all."]
    title: str
    status: int
    detail: Annotated[str, "What was wrong and what to do, fit to show to a person."]
    instance: NotRequired[Annotated[str, "The path that was asked for."]]
    request_id: NotRequired[Annotated[str, "As in the X-Request-ID header and the log."]]
    errors: NotRequired[Annotated[list[FieldError], "Where a request is not valid."]]
    refused: NotRequired[Annotated[list[Refused], "Where no file of an upload was added."]]
    ready: NotRequired[Annotated[bool, "False, from /readyz."]]
