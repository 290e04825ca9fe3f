"""Which picture of a group of copies to keep."""

from __future__ import annotations

from collections.abc import Sequence

from sightline_catalogue import Image

LOSSLESS = frozenset({"camera raw", "PNG", "TIFF", "BMP", "PSD"})


def best_of(images: Sequence[Image]) -> Image:
    """Return the one to keep: of the most pixels, then of a lossless format, of the most bytes, the oldest."""
    return min(images, key=_rank)


def _rank(image: Image) -> tuple[int, bool, int, str, str]:
    pixels = (image.width or 0) * (image.height or 0)
    oldest = image.modified_at.isoformat() if image.modified_at else "~"
    return -pixels, image.format not in LOSSLESS, -(image.bytes or 0), oldest, image.id
