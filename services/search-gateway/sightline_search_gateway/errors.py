"""What the gateway's services refuse, and why; `http/problems.py` says it over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict


class Refused(TypedDict):
    """A file of an upload that was not used."""

    name: Annotated[str, "As it was sent."]
    reason: str


class ServiceError(Exception):
    """An error that a client is told about.

    Args:
        kind: A key of `http.problems.PROBLEM_TYPES`.
        detail: What was wrong and what to do, fit to show to a person.
        retry_after_seconds: When to come back; None where that would not help.
        members: More of it, such as `errors`.
    """

    def __init__(self, kind: str, detail: str, *, retry_after_seconds: float | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        self.members = members
