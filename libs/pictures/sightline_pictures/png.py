"""Repairs PNGs: what is not pixels does not keep a picture from being shown, as in browsers."""

from __future__ import annotations

import struct
import zlib

from sightline_pictures.containers import PNG_SIGNATURE, png_chunks
from sightline_pictures.errors import PictureError
from sightline_pictures.repaired import Repaired, truncated

_CRITICAL = frozenset({b"IHDR", b"PLTE"})
_KEPT = frozenset({b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"eXIf", b"tEXt"})
_XMP = b"XML:com.adobe.xmp\0\0"
"""XMP that is not compressed."""
_LARGEST_EXTRA = 256 * 1024
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1024 * 1024


def repair_png(data: bytes) -> Repaired | None:
    """Return a PNG with all its pixels, but without chunks that are damaged or large and not needed.

    Raises:
        PictureError: Pixels are missing.
    """
    extras: list[bytes] = []
    pixels: list[bytes] = []
    header = b""
    for chunk in png_chunks(data):
        name, body, end = chunk.name, data[chunk.body : chunk.end], chunk.end + 4
        if name == b"IDAT":
            pixels.append(body)
        elif name == b"IEND":
            break
        elif name == b"IHDR":
            header = body
        is_kept = name in _KEPT or (name == b"iTXt" and body.startswith(_XMP)) or (name == b"iCCP" and _inflates(body))
        if name in _CRITICAL or (is_kept and len(body) <= _LARGEST_EXTRA and _is_right(data, chunk.start, end)):
            extras.append(data[chunk.start : end])
    if len(header) != 13 or not pixels:
        return None
    inflated = _pixel_bytes(header)
    stream, found = _complete(pixels, inflated)
    if found < inflated:
        raise truncated(1 - found / inflated)
    return Repaired(PNG_SIGNATURE + b"".join(extras) + _chunk(b"IDAT", stream) + _chunk(b"IEND", b""))


def _is_right(data: bytes, at: int, end: int) -> bool:
    return end <= len(data) and zlib.crc32(data[at + 4 : end - 4]) == int.from_bytes(data[end - 4 : end], "big")


def _inflates(profile: bytes) -> bool:
    """Return whether a compressed profile is of the size that profiles are."""
    reader = zlib.decompressobj()
    try:
        return bool(reader.decompress(profile.partition(b"\0")[2][1:], _PIECE)) and reader.eof
    except zlib.error:
        return False


def _chunk(name: bytes, body: bytes) -> bytes:
    return b"".join((struct.pack(">I", len(body)), name, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))))


def _pixel_bytes(header: bytes) -> int:
    """Return how many bytes the pixels are, inflated, with the filter's byte of each row.

    Raises:
        PictureError: The header is of no PNG.
    """
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if colour not in _SAMPLES:
        raise PictureError("damaged PNG file: its header makes no sense")
    bits *= _SAMPLES[colour]
    if not interlaced:
        return int(height * (1 + -(-width * bits // 8)))
    total = 0
    for left, top, across, down in _PASSES:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total


def _complete(pixels: list[bytes], needed: int) -> tuple[bytes, int]:
    """Return a stream that ends as it should, and how many bytes of pixels it has; no more than are needed."""
    reader, writer = zlib.decompressobj(), zlib.compressobj(1)
    out: list[bytes] = []
    found = 0
    for body in pixels:
        rest = body
        while rest and found < needed and not reader.eof:
            try:
                piece = reader.decompress(rest, min(_PIECE, needed - found))
            except zlib.error:
                return b"", found
            rest = reader.unconsumed_tail
            found += len(piece)
            out.append(writer.compress(piece))
    return b"".join([*out, writer.flush()]), found
