"""Media types of files, by their first bytes."""

from __future__ import annotations

from sightline_pictures.formats import FORMATS, detect

UNKNOWN = "application/octet-stream"
SNIFFED_BYTES = 512
"""How many first bytes of a file tell its media type."""
MIME_TYPES = (*(format.media_type for format in FORMATS.values()), UNKNOWN)


def media_type(data: bytes) -> str:
    """Return the media type of a picture file; `UNKNOWN` for all but raster pictures.

    The name says nothing here: a page named cat.jpg must not run as one, and SVG is a program.
    """
    found = detect(data)
    return UNKNOWN if found is None else found.media_type
