"""Why a file is not a picture that Sightline can use."""

from __future__ import annotations


class PictureError(ValueError):
    """A file that will never become a picture, however often it is tried.

    Attributes:
        reason: One line, fit to show to a person.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
