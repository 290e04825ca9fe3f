"""Why a file cannot be decoded."""

from __future__ import annotations


class PictureError(ValueError):
    """A file that cannot be decoded, however often it is tried.

    Attributes:
        reason: One line, fit to show to a person.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
