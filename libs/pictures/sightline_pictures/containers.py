"""Walks through the parts of the containers that pictures come in: PNG's and WebP's chunks, and boxes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Part(NamedTuple):
    """A chunk or box, by where it is in the file.

    Attributes:
        name: Four bytes.
        start: Where it begins.
        body: Where its content begins.
        end: Where its content ends, as it says: perhaps beyond the file's end.
    """

    name: bytes
    start: int
    body: int
    end: int


def png_chunks(data: bytes) -> Iterator[Part]:
    """Yield the chunks of a PNG, those after its end too."""
    at = len(PNG_SIGNATURE)
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield Part(data[at + 4 : at + 8], at, at + 8, at + 8 + length)
        # After the content comes its checksum.
        at += 12 + length


def webp_chunks(data: bytes) -> Iterator[Part]:
    """Yield the chunks of a WebP."""
    at = 12
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        yield Part(data[at : at + 4], at, at + 8, at + 8 + length)
        at += 8 + length + length % 2


def boxes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[Part]:
    """Yield the boxes of an ISO base media file, a JPEG 2000 or a JPEG XL, up to the first whose length is invalid.

    Args:
        data: The whole file.
        at: Where the first begins.
        end: Where they end; None for the end of the file.

    Raises:
        struct.error: The file ends in the head of one.
    """
    end = len(data) if end is None else end
    while at + 8 <= end:
        (length,), head = struct.unpack_from(">I", data, at), 8
        if length == 1:
            (length,), head = struct.unpack_from(">Q", data, at + 8), 16
        if length == 0:
            length = end - at
        if length < 8:
            return
        yield Part(data[at + 4 : at + 8], at, at + head, at + length)
        at += length
