"""Reads what is checked before a library sees a file: its size, and whether all of it is there."""

from __future__ import annotations

import struct


def declared_size(data: bytes, format: str) -> tuple[int, int] | None:
    """Return width and height in pixels as the header states them; None for formats whose header is not read here.

    It is checked before Pillow opens the file: Pillow's readers allocate a WebP's canvas when they open it, and give no
    size at all for a file that ends right after its header.
    """
    try:
        if format == "PNG" and data[12:16] == b"IHDR":
            width, height = struct.unpack_from(">II", data, 16)
        elif format == "GIF":
            width, height = struct.unpack_from("<HH", data, 6)
        elif format == "BMP" and struct.unpack_from("<I", data, 14)[0] >= 40:
            width, height = map(abs, struct.unpack_from("<ii", data, 18))
        elif format == "PSD":
            height, width = struct.unpack_from(">II", data, 14)
        elif format == "WebP":
            return _webp_size(data)
        else:
            return None
    except struct.error:
        return None
    return width, height


def _webp_size(data: bytes) -> tuple[int, int] | None:
    if data[12:16] == b"VP8X":
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    elif data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif data[12:16] == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return width, height


def is_truncated(data: bytes, format: str) -> bool:
    """Return whether a file is shorter than its header says, for the formats whose readers do not notice."""
    if format == "WebP":
        return len(data) < 12 or int.from_bytes(data[4:8], "little") + 8 > len(data)
    if format == "JPEG XL" and data.startswith(b"\xff\x0a"):
        return False
    if format not in ("HEIC", "AVIF", "JPEG XL"):
        return False
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        if length < 8:
            # 0 means to the end of the file; other lengths below 8 are invalid.
            return False
        at += length
    return at != len(data)
