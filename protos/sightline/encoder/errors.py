"""The errors of a call of the encoder: raised by the service, and raised again by the client."""

from __future__ import annotations

import grpc

RETRY_AFTER_KEY = "retry-after-ms"
"""The key of the trailing metadata with which a full queue says after how long to try again."""


class EncoderError(Exception):
    """A call failed.

    Attributes:
        code: The gRPC status code; each class has its own, an instance may have another.
        message: What was wrong and what to do, fit to show to a person.
    """

    code = grpc.StatusCode.INTERNAL

    def __init__(self, message: str, code: grpc.StatusCode | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class Overloaded(EncoderError):
    """The encoder's queue is full; the same request may be sent again after `retry_after_seconds`."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(EncoderError):
    """The encoder is still loading or is stopping, or none answered within the deadline."""

    code = grpc.StatusCode.UNAVAILABLE


class FingerprintMismatch(EncoderError):
    """The model's fingerprint is not the requested one."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class InvalidRequest(EncoderError):
    """The request itself is wrong, or larger than the encoder's limits; sending it again changes nothing."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class ItemError(Exception):
    """One text or image of a request could not be encoded; another time it might.

    Attributes:
        code: The status code of the item.
        message: What was wrong, fit to show to a person.
    """

    code = grpc.StatusCode.INTERNAL

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidItem(ItemError):
    """One text or image that can never be encoded: not an image, or over a limit."""

    code = grpc.StatusCode.INVALID_ARGUMENT


def from_rpc_error(error: grpc.RpcError) -> EncoderError:
    """Return the EncoderError for an error of gRPC."""
    if not isinstance(error, grpc.Call):
        return EncoderError(str(error), grpc.StatusCode.UNKNOWN)
    code, message = error.code(), error.details() or str(error)
    match code:
        # CANCELLED comes from one that stops.
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.DEADLINE_EXCEEDED | grpc.StatusCode.CANCELLED:
            return Unavailable(message, code)
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            for key, value in error.trailing_metadata() or ():
                if key == RETRY_AFTER_KEY and str(value).isdecimal():
                    return Overloaded(message, int(value) / 1000)
            return InvalidRequest(message, code)
        case grpc.StatusCode.FAILED_PRECONDITION:
            return FingerprintMismatch(message, code)
        case grpc.StatusCode.INVALID_ARGUMENT | grpc.StatusCode.NOT_FOUND:
            return InvalidRequest(message, code)
    return EncoderError(message, code)
