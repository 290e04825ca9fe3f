"""Which formats are sent to a browser as pictures: those that start like one."""

from __future__ import annotations

HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}
UNKNOWN = "application/octet-stream"
MIME_TYPES = (
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/bmp",
    "image/tiff",
    "image/heic",
    "image/avif",
    UNKNOWN,
)


def media_type(data: bytes) -> str:
    """Return the media type by a file's first bytes, `UNKNOWN` for whatever is no raster picture.

    The name says nothing here: a page named cat.jpg must not run as one, and SVG is a program.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"BM") and data[6:10] == b"\0\0\0\0":
        return "image/bmp"
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "image/tiff"
    if data[4:8] == b"ftyp":
        size = min(int.from_bytes(data[:4], "big"), 64)
        brands = {data[8:12]} | {data[at : at + 4] for at in range(16, size, 4)}
        if brands & AVIF_BRANDS:
            return "image/avif"
        if brands & HEIF_BRANDS:
            return "image/heic"
    return UNKNOWN
