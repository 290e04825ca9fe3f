"""Reads a TIFF's first directory, as far as it says how much memory the file will take."""

from __future__ import annotations

import struct

from sightline_pictures.errors import PictureError

_WIDTH, _HEIGHT, _STRIP_OFFSETS = 256, 257, 273
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS = 322, 323, 324
_INTEGERS = {3: "H", 4: "L", 16: "Q"}
_LARGEST_TILE = 4_000_000
"""Pixels of a tile that is larger than the picture: its decoder makes room for all of it."""
_SMALLEST_TILE = 16


def checked_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height as the first directory states them; None where they cannot be read.

    Raises:
        PictureError: There are far more strips or tiles than the picture has room for, or a tile is far larger.
    """
    tags = _directory(data)
    width, height = tags.get(_WIDTH, (0, 0))[1], tags.get(_HEIGHT, (0, 0))[1]
    if not width or not height:
        return None
    tiles = -(-width // _SMALLEST_TILE) * -(-height // _SMALLEST_TILE)
    # Each of up to four colours may have strips of its own; Pillow keeps half a kilobyte for each.
    if max(tags.get(tag, (0, 0))[0] for tag in (_STRIP_OFFSETS, _TILE_OFFSETS)) > 4 * (height + tiles):
        raise PictureError("damaged TIFF file: more strips or tiles than it has room for")
    tile = tags.get(_TILE_WIDTH, (0, 0))[1] * tags.get(_TILE_HEIGHT, (0, 0))[1]
    if tile > max(_LARGEST_TILE, (width + 256) * (height + 256)):
        raise PictureError("damaged TIFF file: its tiles are far larger than the picture")
    return width, height


def _directory(data: bytes) -> dict[int, tuple[int, int]]:
    """Return by tag the number of its values, and the value where it is a single integer, else 0.

    Raises:
        struct.error: The file ends before.
    """
    order = "<" if data[:2] == b"II" else ">"
    if struct.unpack_from(order + "H", data, 2)[0] == 43:
        (start,) = struct.unpack_from(order + "Q", data, 8)
        (count,) = struct.unpack_from(order + "Q", data, start)
        first, length, head, inline = start + 8, 20, "HHQ", 12
    else:
        (start,) = struct.unpack_from(order + "L", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        first, length, head, inline = start + 2, 12, "HHL", 8
    found: dict[int, tuple[int, int]] = {}
    for at in range(first, min(first + count * length, len(data) - length + 1), length):
        tag, kind, number = struct.unpack_from(order + head, data, at)
        value = 0
        if number == 1 and kind in _INTEGERS and (kind != 16 or inline == 12):
            (value,) = struct.unpack_from(order + _INTEGERS[kind], data, at + inline)
        # Of two entries with one tag the first counts, as for Pillow.
        found.setdefault(tag, (number, value))
    return found
