"""What is made of a file that lacks something, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass

from sightline_pictures.errors import PictureError

_MOST_MISSING = 0.1
"""What lacks more of its pixels is not a picture that anybody would look for."""


@dataclass(frozen=True)
class Repaired:
    """A file that can be decoded.

    Attributes:
        data: Its bytes.
        note: What is missing, for a person to read; None where all of the picture is there.
    """

    data: bytes
    note: str | None = None


def checked_end(share: float) -> str | None:
    """Return a note on how much of the end of a picture is missing; None where nothing is.

    Raises:
        PictureError: More than a tenth is.
    """
    if share <= 0:
        return None
    if share > _MOST_MISSING:
        raise truncated(share)
    if share < 0.01:
        return "less than 1 % of it is missing, at its end"
    percent = round(share * 100)
    return "its last 1 % is missing" if percent == 1 else f"its last {percent} % are missing"


def truncated(share: float) -> PictureError:
    """Return the error of a file of which a share of the picture is missing."""
    return PictureError(f"truncated: its last {max(1, min(99, round(share * 100)))} % are missing")
