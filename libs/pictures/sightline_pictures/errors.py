"""The error of a file that cannot be decoded."""

from __future__ import annotations


class PictureError(ValueError):
    """A file cannot be decoded; another try gives the same error.

    Attributes:
        reason: One line, fit to show to a person.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DecoderEnded(PictureError):
    """The process that decoded a file ended: the file makes it crash, or memory ran out. Another try may succeed."""


def too_long(what: str) -> PictureError:
    """Return the error of a file that takes out of proportion to decode."""
    return PictureError(f"it would take too long to decode: {what}")
