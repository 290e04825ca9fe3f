"""Errors of the gateway's services; `http/problems.py` translates them to HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from sightline_service.disk_space import says_disk_full
from sightline_service.full_disks import QUEUE_DISK_FULL

MAX_SHOWN = 5


class Refused(TypedDict):
    """A file of an upload that was not used."""

    name: Annotated[str, "As it was sent."]
    reason: str


def reasons_of(refused: Sequence[Refused]) -> str:
    """Return why files were not used, for a message: of the first five."""
    return "; ".join(f"{one['name']}: {one['reason']}" for one in refused[:MAX_SHOWN])


class ServiceError(Exception):
    """An error that is shown to a client.

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


def disk_full(problem: str) -> ServiceError:
    """Return the error of what cannot be written, since a disk is full; `problem` says which, as a sentence."""
    return ServiceError("disk-full", f"{problem[:1].upper()}{problem[1:]}.", retry_after_seconds=30)


def queue_problem(error: Exception) -> ServiceError:
    """Return the error of what Redis refuses, or does not answer to."""
    if says_disk_full(str(error)):
        return disk_full(QUEUE_DISK_FULL)
    return ServiceError("queue-unavailable", "Redis does not answer; try again soon.", retry_after_seconds=5)
