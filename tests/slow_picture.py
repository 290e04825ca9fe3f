"""A small file that takes long to decode: a progressive JPEG whose scans say in a few bytes that nothing changes."""

from __future__ import annotations

import struct

RUN = 2**15 - 1
"""Blocks that one end-of-band code covers at most."""


def slow_jpeg(side: int = 12_000, scans: int = 20) -> bytes:
    """Return a grey picture of side x side pixels; each of its scans is a pass over all of them."""
    blocks = (-(-side // 8)) ** 2
    codes = "0" + "1" * 14
    return b"".join(
        [
            b"\xff\xd8",
            _segment(0xDB, b"\0" + b"\x01" * 64),
            _segment(0xC2, struct.pack(">BHHBBBB", 8, side, side, 1, 1, 0x11, 0)),
            # One code of one bit each: no difference for DC, the longest run of empty blocks for AC.
            _segment(0xC4, b"\x00" + b"\x01" + bytes(15) + b"\x00"),
            _segment(0xC4, b"\x10" + b"\x01" + bytes(15) + b"\xe0"),
            _scan(0, 0, 0x00, "0" * blocks),
            _scan(1, 63, 0x01, codes * -(-blocks // RUN)),
            _scan(1, 63, 0x10, codes * -(-blocks // RUN)) * (scans - 2),
            b"\xff\xd9",
        ]
    )


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _scan(first: int, last: int, approximation: int, bits: str) -> bytes:
    padded = bits + "1" * (-len(bits) % 8)
    data = int(padded, 2).to_bytes(len(padded) // 8, "big").replace(b"\xff", b"\xff\0")
    return _segment(0xDA, bytes([1, 1, 0x00, first, last, approximation])) + data
