"""What decoding a HEIC or AVIF would cost: its images are made of others, which may be used again and again."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from sightline_pictures.containers import boxes
from sightline_pictures.errors import PictureError, too_long

_MOST_BOXES = 65_536
_MOST_ITEMS = 4096
"""Tiles of 512 x 512 pixels of 200 megapixels are fewer than a thousand."""
_MOST_REFERENCES = 16_384
_MOST_DEPTH = 8
MOST_SHARING = 4
"""How often the bytes of a file may be used on average: some programs store equal tiles once."""
SLACK_BYTES = 1 << 20
_MOST_TIMES_PIXELS = 6
"""Pixels decoded and composed for each of the picture: tiles and what they make are two, transparency as many again."""
_SLACK_PIXELS = 16_000_000


@dataclass
class _Items:
    """What a file says of its items.

    Attributes:
        primary: The id of the picture's.
        parts: By id, those that it is made of.
        aux: By id, those that go with it, such as its transparency.
        bytes: By id, of its data.
        sizes: The width times height of each property, by its place; 0 for other properties.
        properties: By id, the places of its properties.
    """

    primary: int = 0
    count: int = 0
    references: int = 0
    parts: dict[int, list[int]] = field(default_factory=dict)
    aux: dict[int, list[int]] = field(default_factory=dict)
    bytes: dict[int, int] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    properties: dict[int, list[int]] = field(default_factory=dict)

    def pixels(self, item: int) -> int:
        """Return an item's width times height, as it says."""
        places = self.properties.get(item, [])
        return max((self.sizes[place - 1] for place in places if 0 < place <= len(self.sizes)), default=0)


def check_heif(data: bytes) -> None:
    """Check how often a HEIC's or AVIF's items are used.

    Raises:
        PictureError: Decoding it would take time or memory out of proportion.
        struct.error: The file ends before.
    """
    items = _Items()
    steps = [0]
    for name, start, end in _boxes(data, 0, len(data), steps):
        if name == b"meta":
            for inner, at, stop in _boxes(data, start + 4, end, steps):
                if inner == b"iprp":
                    for deeper, below, last in _boxes(data, at, stop, steps):
                        _read(items, data, deeper, below, last, steps)
                else:
                    _read(items, data, inner, at, stop, steps)
    if items.count > _MOST_ITEMS or items.references > _MOST_REFERENCES:
        raise _too_long("of too many items")
    if sum(items.bytes.values()) > MOST_SHARING * len(data) + SLACK_BYTES:
        raise _too_long("whose items use the same bytes too often")
    cost = sum(_cost(items, item, {}, 0) for item in [items.primary, *items.aux.get(items.primary, [])])
    if cost > _MOST_TIMES_PIXELS * items.pixels(items.primary) + _SLACK_PIXELS:
        raise _too_long("whose parts are used too often")


def _too_long(what: str) -> PictureError:
    return too_long(f"a HEIC or AVIF {what}")


def _cost(items: _Items, item: int, known: dict[int, int], depth: int) -> int:
    """Return how many pixels are decoded and composed for an item, those of its parts included.

    Raises:
        PictureError: Its parts have parts, and so on, too deep, or without an end.
    """
    if depth > _MOST_DEPTH:
        raise _too_long("whose parts have parts of their own, too deep")
    if item not in known:
        parts = items.parts.get(item, [])
        known[item] = items.pixels(item) + sum(_cost(items, part, known, depth + 1) for part in parts)
    return known[item]


def _boxes(data: bytes, at: int, end: int, steps: list[int]) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of the body of each box."""
    for box in boxes(data, at, end):
        steps[0] += 1
        if steps[0] > _MOST_BOXES:
            raise _too_long("of too many boxes")
        yield box.name, box.body, min(box.end, end)


def _read(items: _Items, data: bytes, name: bytes, at: int, end: int, steps: list[int]) -> None:
    version, flags = data[at], int.from_bytes(data[at + 1 : at + 4], "big")
    wide = ">I" if version else ">H"
    if name == b"pitm":
        (items.primary,) = struct.unpack_from(wide, data, at + 4)
    elif name == b"iinf":
        (items.count,) = struct.unpack_from(wide, data, at + 4)
        items.count = min(items.count, (end - at) // 12)
    elif name == b"iref":
        _read_references(items, data, at + 4, end, wide, steps)
    elif name == b"iloc":
        _read_places(items, data, at, end, version)
    elif name == b"ipco":
        for kind, start, _ in _boxes(data, at, end, steps):
            width, height = struct.unpack_from(">II", data, start + 4) if kind == b"ispe" else (0, 0)
            items.sizes.append(width * height)
    elif name == b"ipma":
        _read_properties(items, data, at + 4, end, wide, wide_places=bool(flags & 1))


def _read_references(items: _Items, data: bytes, at: int, end: int, wide: str, steps: list[int]) -> None:
    size = struct.calcsize(wide)
    for kind, start, stop in _boxes(data, at, end, steps):
        (source,) = struct.unpack_from(wide, data, start)
        (count,) = struct.unpack_from(">H", data, start + size)
        count = min(count, (stop - start) // size)
        items.references += count
        if items.references > _MOST_REFERENCES:
            return
        targets = struct.unpack_from(f">{count}{wide[1]}", data, start + size + 2)
        if kind == b"dimg":
            items.parts.setdefault(source, []).extend(targets)
        elif kind == b"auxl":
            for target in targets:
                items.aux.setdefault(target, []).append(source)


def _read_places(items: _Items, data: bytes, at: int, end: int, version: int) -> None:
    """Read how many bytes each item has."""
    sizes = data[at + 4] << 8 | data[at + 5]
    offset, length, base, index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    index = index if version in (1, 2) else 0
    wide = ">I" if version == 2 else ">H"
    (count,) = struct.unpack_from(wide, data, at + 6)
    at += 6 + struct.calcsize(wide)
    extents_seen = 0
    for _ in range(min(count, _MOST_ITEMS + 1)):
        (item,) = struct.unpack_from(wide, data, at)
        at += struct.calcsize(wide) + (2 if version in (1, 2) else 0) + 2 + base
        (extents,) = struct.unpack_from(">H", data, at)
        at += 2
        extents_seen += extents
        if extents_seen > _MOST_BOXES:
            raise _too_long("of too many parts")
        total = 0
        for _ in range(extents):
            start = at + index + offset
            if start + length > end:
                raise struct.error("the box ends before")
            # Without a length it is all of the file.
            total += int.from_bytes(data[start : start + length], "big") or len(data)
            at = start + length
        items.bytes[item] = total


def _read_properties(items: _Items, data: bytes, at: int, end: int, wide: str, *, wide_places: bool) -> None:
    (count,) = struct.unpack_from(">I", data, at)
    at += 4
    for _ in range(min(count, _MOST_ITEMS + 1)):
        if at >= end:
            return
        (item,) = struct.unpack_from(wide, data, at)
        at += struct.calcsize(wide)
        number = data[at]
        at += 1
        if wide_places:
            places = [place & 0x7FFF for place in struct.unpack_from(f">{number}H", data, at)]
        else:
            places = [place & 0x7F for place in data[at : at + number]]
        at += number * (2 if wide_places else 1)
        items.properties[item] = places
