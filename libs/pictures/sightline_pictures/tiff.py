"""Reads a TIFF's directories: which page is the picture, how its samples are stored, and what memory it takes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from sightline_pictures.errors import PictureError

SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 254, 255, 256, 257, 258, 259, 262, 266
STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES, PLANAR, PREDICTOR = 273, 277, 278, 279, 284, 317
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES, SUB_DIRECTORIES = 322, 323, 324, 325, 330
EXTRA_SAMPLES, SAMPLE_FORMAT, ICC_PROFILE, NO_DATA, DNG_VERSION = 338, 339, 34675, 42113, 50706
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, CMYK = 0, 1, 2, 5
_SENSOR = frozenset({32803, 34892})
"""The photometric interpretations of a sensor's values: not a picture yet."""

_INTEGERS = {1: "B", 3: "H", 4: "L", 13: "L", 16: "Q", 18: "Q"}
_LENGTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_LARGEST_TILE = 4_000_000
"""Pixels of a tile that is larger than the picture: its decoder makes room for all of it."""
_SMALLEST_TILE = 16
_MOST_PAGES = 64
_LONGEST_PREVIEW = 512
"""Pixels of a side of a first page that is taken for a reduced one though nothing says so."""


@dataclass(frozen=True)
class Page:
    """One directory of a TIFF.

    Attributes:
        offset: Where it is in the file.
        entries: By tag the type, the number of values, and where they are in the file.
    """

    data: bytes
    order: str
    offset: int
    entries: dict[int, tuple[int, int, int]]

    def integers(self, tag: int, default: Sequence[int] = ()) -> tuple[int, ...]:
        """Return a tag's integers; the default where it is absent, or no integers.

        Raises:
            struct.error: The file ends before.
        """
        kind, count, at = self.entries.get(tag, (0, 0, 0))
        if kind not in _INTEGERS or not count:
            return tuple(default)
        # Lengths are checked before anything is allocated: the file may claim any count.
        if at + count * _LENGTHS[kind] > len(self.data):
            raise struct.error("values beyond the end")
        return struct.unpack_from(f"{self.order}{count}{_INTEGERS[kind]}", self.data, at)

    def integer(self, tag: int, default: int = 0) -> int:
        """Return a tag's first integer."""
        if self.entries.get(tag, (0, 0, 0))[1] > 1:
            kind, _, at = self.entries[tag]
            if kind not in _INTEGERS:
                return default
            return int(struct.unpack_from(self.order + _INTEGERS[kind], self.data, at)[0])
        return self.integers(tag, (default,))[0]

    def count(self, tag: int) -> int:
        """Return how many values a tag has."""
        return self.entries.get(tag, (0, 0, 0))[1]

    def lengths(self) -> list[int]:
        """Return how many bytes the values of each entry have."""
        return [count * _LENGTHS.get(kind, 1) for kind, count, _ in self.entries.values()]

    def bytes_of(self, tag: int) -> bytes | None:
        """Return a tag's bytes; None where it is absent."""
        kind, count, at = self.entries.get(tag, (0, 0, 0))
        return self.data[at : at + count] if count and _LENGTHS.get(kind) == 1 else None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.integer(WIDTH), self.integer(HEIGHT)

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.integer(WIDTH) * self.integer(HEIGHT)

    @property
    def is_reduced(self) -> bool:
        """Whether it is marked as a reduced image of another page."""
        return bool(self.integer(SUBFILE) & 1) or self.integer(OLD_SUBFILE) == 2

    @property
    def is_sensor(self) -> bool:
        """Whether it holds a camera sensor's values."""
        return self.integer(PHOTOMETRIC) in _SENSOR

    @property
    def is_picture(self) -> bool:
        """Whether it may be shown: it is neither reduced, nor a mask, nor a sensor's."""
        return bool(self.pixels) and not (self.is_reduced or self.integer(SUBFILE) & 4 or self.is_sensor)


def pages(data: bytes) -> list[Page]:
    """Return a TIFF's pages, each followed by its own sub-pages; those that can be read, 64 at most."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    found: list[Page] = []
    seen: set[int] = set()
    try:
        (offset,) = struct.unpack_from(order + ("Q" if big else "L"), data, 8 if big else 4)
        while offset and offset not in seen and len(found) < _MOST_PAGES:
            seen.add(offset)
            page, offset = _page(data, order, offset, big)
            found.append(page)
            for below in page.integers(SUB_DIRECTORIES)[:8]:
                if below not in seen and len(found) < _MOST_PAGES:
                    seen.add(below)
                    found.append(_page(data, order, below, big)[0])
    except struct.error:
        pass
    return found


def _page(data: bytes, order: str, start: int, big: bool) -> tuple[Page, int]:
    """Return a page, and where the next one is; 0 where there is none.

    Raises:
        struct.error: The file ends before.
    """
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, start)
    first, length, head, inline = (start + 8, 20, "HHQ", 12) if big else (start + 2, 12, "HHL", 8)
    pointer = order + ("Q" if big else "L")
    entries: dict[int, tuple[int, int, int]] = {}
    end = first + count * length
    for at in range(first, min(end, len(data) - length + 1), length):
        tag, kind, number = struct.unpack_from(order + head, data, at)
        place = at + inline
        if number * _LENGTHS.get(kind, 1) > length - inline:
            (place,) = struct.unpack_from(pointer, data, place)
        # Of two entries with one tag the first counts, as for Pillow.
        entries.setdefault(tag, (kind, number, place))
    following = struct.unpack_from(pointer, data, end)[0] if end + struct.calcsize(pointer) <= len(data) else 0
    return Page(data, order, start, entries), following


def picture_page(found: Sequence[Page]) -> Page | None:
    """Return the page that is the picture: the first, unless that is a reduced image of another one."""
    if not found:
        return None
    first = found[0]
    if first.is_picture and not _is_preview(first, found):
        return first
    return max((page for page in found if page.is_picture), key=lambda page: page.pixels, default=first)


def _is_preview(first: Page, found: Sequence[Page]) -> bool:
    """Return whether a small first page has a larger one of the same shape after it, though it is not marked."""
    width, height = first.size
    if max(width, height) > _LONGEST_PREVIEW:
        return False
    others = [page.size for page in found[1:] if page.is_picture]
    return any(
        other_width >= 2 * width and abs(other_width * height - width * other_height) <= 0.02 * width * other_height
        for other_width, other_height in others
    )


def is_camera_raw(data: bytes) -> bool:
    """Return whether a TIFF is a camera's raw file: a page of it holds a sensor's values."""
    return any(page.is_sensor or DNG_VERSION in page.entries for page in pages(data))


def starting_at(data: bytes, page: Page) -> bytes:
    """Return the file with another page as its first."""
    if data[2:4] in (b"+\0", b"\0+"):
        return data[:8] + struct.pack(page.order + "Q", page.offset) + data[16:]
    return data[:4] + struct.pack(page.order + "L", page.offset) + data[8:]


def check_page(page: Page) -> tuple[int, int]:
    """Return a page's width and height.

    Raises:
        PictureError: There are far more strips or tiles than the picture has room for, or a tile is far larger.
        struct.error: The file ends before.
    """
    width, height = page.size
    tiles = -(-width // _SMALLEST_TILE) * -(-height // _SMALLEST_TILE)
    # Each of up to four colours may have strips of its own; Pillow keeps half a kilobyte for each.
    if max(page.count(tag) for tag in (STRIP_OFFSETS, TILE_OFFSETS)) > 4 * (height + tiles):
        raise PictureError("damaged TIFF file: more strips or tiles than it has room for")
    tile = page.integer(TILE_WIDTH) * page.integer(TILE_HEIGHT)
    if tile > max(_LARGEST_TILE, (width + 256) * (height + 256)):
        raise PictureError("damaged TIFF file: its tiles are far larger than the picture")
    return width, height
