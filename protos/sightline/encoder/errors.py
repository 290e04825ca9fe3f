"""What a call of the encoder can end with."""

from __future__ import annotations

import grpc


class EncoderError(Exception):
    """A call failed.

    Attributes:
        code: The gRPC status code.
        message: What was wrong, fit to show to a person.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Overloaded(EncoderError):
    """The encoder's queue is full; the same request may be sent again after `retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(grpc.StatusCode.RESOURCE_EXHAUSTED, message)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(EncoderError):
    """No encoder answered within the deadline."""


class FingerprintMismatch(EncoderError):
    """The encoder's model is not the one whose vectors were asked for."""


class InvalidRequest(EncoderError):
    """The request itself is wrong, or larger than the encoder's limits; sending it again changes nothing."""


class ItemError(Exception):
    """One text or image of a request could not be encoded.

    Attributes:
        code: A google.rpc.Code number.
        message: What was wrong, fit to show to a person.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def status_code(error: grpc.RpcError) -> grpc.StatusCode:
    """Return the code that a call ended with."""
    return error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN


def translated(error: grpc.RpcError) -> EncoderError:
    """Return gRPC's error as one of ours."""
    code = status_code(error)
    message = (error.details() if isinstance(error, grpc.Call) else None) or str(error)
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        return Unavailable(code, message)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and isinstance(error, grpc.Call):
        for key, value in error.trailing_metadata() or ():
            if key == "retry-after-ms" and str(value).isdecimal():
                return Overloaded(message, int(value) / 1000)
        return InvalidRequest(code, message)
    if code is grpc.StatusCode.FAILED_PRECONDITION:
        return FingerprintMismatch(code, message)
    if code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND):
        return InvalidRequest(code, message)
    return EncoderError(code, message)
