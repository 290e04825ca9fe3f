"""What a file is to a browser, by its first bytes."""

from __future__ import annotations

from sightline_pictures.formats import detect

UNKNOWN = "application/octet-stream"
BY_FORMAT = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WebP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "HEIC": "image/heic",
    "AVIF": "image/avif",
}
MIME_TYPES = (*BY_FORMAT.values(), UNKNOWN)


def media_type(data: bytes) -> str:
    """Return the media type of a picture file; `UNKNOWN` for whatever is no raster picture.

    The name says nothing here: a page named cat.jpg must not run as one, and SVG is a program.
    """
    found = detect(data)
    return BY_FORMAT.get(found.name, UNKNOWN) if found is not None else UNKNOWN
