"""What can go wrong, each with the gRPC status that says so: the one table of errors."""

from __future__ import annotations


class EncoderError(Exception):
    """The root of this service's errors.

    Attributes:
        code: The name of the gRPC status code that a caller gets.
        number: The same as a google.rpc.Code number, for the status of one item.
        message: What was wrong and what to do, fit to show to a person.
    """

    code = "INTERNAL"
    number = 13

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidItem(EncoderError):
    """One text or image that can never be encoded."""

    code = "INVALID_ARGUMENT"
    number = 3


class InvalidRequest(EncoderError):
    """A request that makes no sense as a whole."""

    code = "INVALID_ARGUMENT"
    number = 3


class RequestTooLarge(EncoderError):
    """A request with more items than the limits allow: it will never fit."""

    code = "RESOURCE_EXHAUSTED"
    number = 8


class UnknownModel(EncoderError):
    """A model that is not served."""

    code = "NOT_FOUND"
    number = 5


class FingerprintMismatch(EncoderError):
    """The caller's vectors are of another model, or of another version of it."""

    code = "FAILED_PRECONDITION"
    number = 9


class Overloaded(EncoderError):
    """A queue is full.

    Attributes:
        retry_after_seconds: When the same request is likely to fit.
    """

    code = "RESOURCE_EXHAUSTED"
    number = 8

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NotReady(EncoderError):
    """The models are still loading, or the service is stopping."""

    code = "UNAVAILABLE"
    number = 14


class EncodingFailed(EncoderError):
    """The forward pass failed for this item; the log says why."""


class ModelError(EncoderError):
    """A model cannot be served as it was named: a wrong name, or files that are missing or not what they should be."""

    code = "FAILED_PRECONDITION"
    number = 9


class ConversionFailed(ModelError):
    """OpenVINO cannot run this model; torch can."""
