"""The errors of calls, each with the gRPC code that Qdrant answers with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from grpc import StatusCode
from sightline_service.disk_space import says_disk_full


class EdgeError(Exception):
    """A call that cannot be answered; subclasses fix the gRPC code."""

    code = StatusCode.INTERNAL

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(EdgeError):
    """A collection or point that does not exist."""

    code = StatusCode.NOT_FOUND


class AlreadyExists(EdgeError):
    """A name that is taken."""

    code = StatusCode.ALREADY_EXISTS


class WrongInput(EdgeError):
    """A request that is invalid."""

    code = StatusCode.INVALID_ARGUMENT


class Unimplemented(EdgeError):
    """A feature of Qdrant that this server does not have."""

    code = StatusCode.UNIMPLEMENTED


class DiskFull(EdgeError):
    """A write for which the disk has no room; nothing of it is applied."""

    code = StatusCode.RESOURCE_EXHAUSTED


class EngineFailure(EdgeError):
    """The engine failed for a reason of its own."""


# The engine raises bare exceptions; their texts begin so.
_INPUT = (
    "Vector dimension error",
    "Not existing vector name error",
    "No appropriate index",
    "No range index",
    "Wrong",
    "Bad",
    "Validation",
    "Malformed",
    "failed to parse",
    "Unexpected",
    "Unsupported",
)


def collection_missing(name: str) -> NotFound:
    """Return the error for a collection that does not exist, worded as Qdrant words it."""
    return NotFound(f"Not found: Collection `{name}` doesn't exist!")


def from_engine(error: Exception) -> EdgeError:
    """Return the EdgeError for an exception of the engine, chosen by the start of its message."""
    text = str(error)
    if text.startswith("No point with id"):
        return NotFound(f"Not found: {text}")
    if isinstance(error, ValueError | TypeError | OverflowError) or text.startswith(_INPUT):
        return WrongInput(f"Wrong input: {text}")
    if text.startswith("Service runtime error: Shard is not initialized"):
        return NotFound("Not found: the collection was deleted during the call")
    if says_disk_full(text):
        return DiskFull(f"the disk of the database is full: {text}")
    return EngineFailure(text)


@contextmanager
def engine_errors() -> Iterator[None]:
    """Raise the engine's exceptions as EdgeError."""
    try:
        yield
    except EdgeError:
        raise
    except Exception as error:
        raise from_engine(error) from None
