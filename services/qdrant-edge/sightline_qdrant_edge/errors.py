"""The one table of errors: what went wrong, and the gRPC code that Qdrant gives it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from grpc import StatusCode


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
    """A request that could never work."""

    code = StatusCode.INVALID_ARGUMENT


class Unimplemented(EdgeError):
    """Something that a Qdrant server does and this one does not."""

    code = StatusCode.UNIMPLEMENTED


class Unavailable(EdgeError):
    """The server is stopping."""

    code = StatusCode.UNAVAILABLE


class EngineFailure(EdgeError):
    """The engine failed for a reason of its own, such as a full disk."""


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
    """Return the engine's exception as one of ours, by the words it begins with."""
    text = str(error)
    if text.startswith("No point with id"):
        return NotFound(f"Not found: {text}")
    if isinstance(error, ValueError | TypeError | OverflowError) or text.startswith(_INPUT):
        return WrongInput(f"Wrong input: {text}")
    if text.startswith("Service runtime error: Shard is not initialized"):
        return NotFound("Not found: the collection was deleted while the call was under way")
    return EngineFailure(text)


@contextmanager
def engine_errors() -> Iterator[None]:
    """Raise ours for what the engine raises."""
    try:
        yield
    except EdgeError:
        raise
    except Exception as error:
        raise from_engine(error) from None
