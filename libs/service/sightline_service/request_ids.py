"""The id of the current request: it is in every line of the log, and is sent on to the services that are called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

REQUEST_ID = "request_id"
"""Its name in logs, in messages and in headers of tasks."""
METADATA_KEY = "x-request-id"
"""Its name in gRPC's metadata."""
_VALID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def is_request_id(value: object) -> bool:
    """Return whether an id that was sent may be used: it is logged as it is."""
    return isinstance(value, str) and _VALID.fullmatch(value) is not None


def current_request_id() -> str | None:
    """Return the id of the current request; None where there is none."""
    value: str | None = structlog.contextvars.get_contextvars().get(REQUEST_ID)
    return value


def request_metadata() -> tuple[tuple[str, str], ...]:
    """Return the metadata of a call over gRPC that is made for the current request."""
    request_id = current_request_id()
    return () if request_id is None else ((METADATA_KEY, request_id),)


def bind_request_id(request_id: object) -> None:
    """Set the request's id for the rest of this task or thread; an id that is not valid changes nothing."""
    if is_request_id(request_id):
        structlog.contextvars.bind_contextvars(request_id=request_id)


@contextmanager
def working_for(request_id: object) -> Iterator[None]:
    """Set the request's id until the block ends; to None where it is None or not valid."""
    if not is_request_id(request_id):
        yield
        return
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        yield
