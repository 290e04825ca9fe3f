"""Repairs files that a library refuses, where all of their picture, or nearly all, is there."""

from __future__ import annotations

from sightline_pictures.containers import webp_chunks
from sightline_pictures.jpeg import repair_jpeg
from sightline_pictures.png import repair_png
from sightline_pictures.repaired import Repaired, truncated

_WEBP_PIXELS = (b"VP8 ", b"VP8L", b"ANMF")
_BMP_PADDING = 4


def repair(data: bytes, format: str) -> Repaired | None:
    """Return what can be decoded in place of a file that cannot be; None where nothing is known that helps.

    Raises:
        PictureError: Too much of the picture is missing.
    """
    if format == "JPEG":
        return repair_jpeg(data)
    if format == "PNG":
        return repair_png(data)
    if format == "WebP":
        return _repair_webp(data)
    if format == "BMP":
        # Some programs leave out what fills up the last row.
        return Repaired(data + bytes(_BMP_PADDING))
    return None


def _repair_webp(data: bytes) -> Repaired | None:
    """Return a WebP without a last chunk that is cut off, if that is no part of the picture."""
    end, pixels = 12, False
    for chunk in webp_chunks(data):
        if chunk.end > len(data):
            if chunk.name in _WEBP_PIXELS and not pixels:
                raise truncated((chunk.end - len(data)) / (chunk.end - chunk.body))
            break
        pixels = pixels or chunk.name in _WEBP_PIXELS
        end = chunk.end + (chunk.end - chunk.body) % 2
    if not pixels:
        return None
    body = data[8:end]
    return Repaired(b"".join((b"RIFF", len(body).to_bytes(4, "little"), body)))
