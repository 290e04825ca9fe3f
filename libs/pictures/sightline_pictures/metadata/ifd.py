"""Reads single values of a TIFF structure, as EXIF is one, within bounds.

Pillow reads every value of a directory at once, and a file of a few megabytes may say that each of 65,535 values is all
of it. Here only what is asked for is read, and no more of it than it can need.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

MOST_ENTRIES = 1000
LONGEST_VALUE = 1 << 16
"""Bytes; what is longer is cut."""
_NUMBERS = {1: "B", 3: "H", 4: "L", 6: "b", 8: "h", 9: "l", 13: "L", 16: "Q"}
_RATIONALS = {5: "LL", 10: "ll"}
_TEXTS = frozenset({2, 7, 129})
_SIZES = dict.fromkeys(_TEXTS, 1) | {
    kind: struct.calcsize(">" + code) for kind, code in (_NUMBERS | _RATIONALS).items()
}


class Entry(NamedTuple):
    """A value's type, how many there are, and where their place, or they themselves, stand in the directory."""

    kind: int
    number: int
    at: int


class Directory:
    """One directory of a TIFF structure. Whatever the bytes are, nothing is raised but struct.error when it is opened.

    Args:
        data: The whole structure, from its `II` or `MM` on.
        start: Where the directory is; None for the first.
    """

    def __init__(self, data: bytes, start: int | None = None) -> None:
        self._data = data
        self._order = "<" if data[:2] == b"II" else ">"
        is_big = self._unpack("H", 2)[0] == 43
        # Of a pointer, and of a value that stands in the place of one.
        self._pointer, self._room = ("Q", 8) if is_big else ("L", 4)
        self._entries: dict[int, Entry] = {}
        if start is None:
            start = self._unpack(self._pointer, 8 if is_big else 4)[0]
        code, entry, length = ("Q", "HHQ", 20) if is_big else ("H", "HHL", 12)
        first = start + struct.calcsize(">" + code)
        for at in range(first, first + min(self._unpack(code, start)[0], MOST_ENTRIES) * length, length):
            if at + length > len(data):
                break
            tag, kind, number = self._unpack(entry, at)
            # Of two entries with one tag the first counts, as for Pillow.
            self._entries.setdefault(tag, Entry(kind, number, at + length - self._room))

    def directory(self, tag: int) -> Directory | None:
        """Return the directory that a tag points to; None where there is none."""
        start = self.number(tag)
        try:
            return Directory(self._data, int(start)) if start is not None else None
        except struct.error:
            return None

    def bytes(self, tag: int, longest: int = LONGEST_VALUE) -> bytes:
        """Return a value's bytes as they are; empty where there is none."""
        entry = self._entries.get(tag)
        size = _SIZES.get(entry.kind, 0) if entry is not None else 0
        if entry is None or not size:
            return b""
        length = size * entry.number
        at = entry.at if length <= self._room else self._unpack(self._pointer, entry.at)[0]
        return self._data[at : at + min(length, longest - longest % size)]

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return a value's numbers; none where there are none. A fraction without a denominator is not a number."""
        entry = self._entries.get(tag)
        data = self.bytes(tag, 64)
        if entry is None or not data:
            return ()
        if code := _NUMBERS.get(entry.kind):
            size = struct.calcsize(f">{code}")
            return struct.unpack(f"{self._order}{len(data) // size}{code}", data[: len(data) // size * size])
        if code := _RATIONALS.get(entry.kind):
            pairs = struct.iter_unpack(self._order + code, data[: len(data) // 8 * 8])
            return tuple(above / below if below else float("nan") for above, below in pairs)
        return ()

    def number(self, tag: int) -> float | None:
        """Return a value's first number; None where there is none."""
        return next(iter(self.numbers(tag)), None)

    def text(self, tag: int) -> str:
        """Return a value's text, up to the first zero; empty where there is none."""
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in _TEXTS:
            return ""
        return self.bytes(tag).partition(b"\0")[0].decode("utf-8", "replace")

    def _unpack(self, code: str, at: int) -> tuple[int, ...]:
        if at < 0:
            raise struct.error("a place before the beginning")
        return struct.unpack_from(self._order + code, self._data, at)
