"""Resizes a picture as if it lay in the middle of a square, without making the square.

The square of a picture of 40,000 x 1 pixels would take 6.4 GB. What the crop shows of it is the picture at the ratio
that the square would be resized by, and the square's colour around it. Only the pixels of the result that a filter
reaches from the picture are computed, one axis after the other, as Pillow does it: they are the resized square's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image

Color = tuple[int, int, int]

_SUPPORT = {
    Image.Resampling.NEAREST: 1.0,
    Image.Resampling.BILINEAR: 1.0,
    Image.Resampling.BICUBIC: 2.0,
    Image.Resampling.LANCZOS: 3.0,
}
"""How far a filter reaches, in pixels of the coarser of the two pictures."""
_BAND_PIXELS = 1_000_000
"""Pixels that are padded at a time."""
_MANY_PIXELS = 4_000_000
"""Above so many, most of them padding, rows go before columns: far faster, and only pixels' rounding differs."""


@dataclass(frozen=True)
class Window:
    """The part of an axis of the resized square that the crop shows.

    Attributes:
        resized: The square's side after resizing, in pixels.
        start: Where the part starts in it.
        length: Of the part.
    """

    resized: int
    start: int
    length: int


def resize_padded(
    image: Image.Image, columns: Window, rows: Window, color: Color, method: Image.Resampling
) -> Image.Image:
    """Return what a crop shows of the picture in the middle of the smallest square that holds it, resized.

    Args:
        image: Mode RGB.
        columns: What the crop shows from left to right.
        rows: What it shows from top to bottom.
        color: The square's.
        method: Pillow's filter.

    Returns:
        Mode RGB, `columns.length` x `rows.length` pixels.
    """
    side = max(image.size)
    x = _Reach.of(side, image.width, columns, _SUPPORT[method])
    y = _Reach.of(side, image.height, rows, _SUPPORT[method])
    shown = Image.new("RGB", (columns.length, rows.length), color)
    if x.count < 1 or y.count < 1:
        return shown
    padded_width = x.stop - x.start
    if padded_width > 2 * image.width and padded_width * image.height > _MANY_PIXELS:
        part = _resize_columns(_resize_rows(image, y, color, method), x, color, method)
    else:
        part = _resize_rows(_resize_columns(image, x, color, method), y, color, method)
    shown.paste(part, (x.first - columns.start, y.first - rows.start))
    return shown


@dataclass(frozen=True)
class _Reach:
    """The pixels along an axis of the result that the picture has a part in, and those of the square that these need.

    Attributes:
        offset: Where the picture starts in the square.
        first: The first of these pixels, in the resized square.
        count: Of these pixels.
        start: The first pixel of the square that they need.
        stop: The last one, plus one.
        box: What they cover, counted from `start`.
    """

    offset: int
    first: int
    count: int
    start: int
    stop: int
    box: tuple[float, float]

    @classmethod
    def of(cls, side: int, length: int, window: Window, support: float) -> _Reach:
        """Return it for an axis of a square of `side` pixels, `length` of which are the picture's."""
        offset = (side - length) // 2
        scale = side / window.resized
        reach = support * max(scale, 1.0)
        first = max(window.start, math.floor((offset - reach) / scale) - 1)
        last = min(window.start + window.length, math.ceil((offset + length + reach) / scale) + 1)
        start = max(0, math.floor(first * scale - reach) - 1)
        stop = min(side, math.ceil(last * scale + reach) + 1)
        return cls(offset, first, last - first, start, stop, (first * scale - start, min(last * scale, side) - start))


def _resize_columns(image: Image.Image, x: _Reach, color: Color, method: Image.Resampling) -> Image.Image:
    """Return the picture resized from left to right alone, a band of rows at a time."""
    height, width = image.height, x.stop - x.start
    narrow = Image.new("RGB", (x.count, height))
    rows = max(1, _BAND_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        band = _pad(image, (x.start - x.offset, top, x.stop - x.offset, bottom), color)
        narrow.paste(band.resize((x.count, bottom - top), method, (x.box[0], 0, x.box[1], bottom - top)), (0, top))
    return narrow


def _resize_rows(image: Image.Image, y: _Reach, color: Color, method: Image.Resampling) -> Image.Image:
    """Return the picture resized from top to bottom alone."""
    width, start, stop = image.width, y.start - y.offset, y.stop - y.offset
    if start >= 0 and stop <= image.height:
        # No copy of it is needed.
        return image.resize((width, y.count), method, (0, start + y.box[0], width, start + y.box[1]))
    padded = _pad(image, (0, start, width, stop), color)
    return padded.resize((width, y.count), method, (0, y.box[0], width, y.box[1]))


def _pad(image: Image.Image, box: tuple[int, int, int, int], color: Color) -> Image.Image:
    """Return a part of a picture; outside of the picture it has the colour."""
    if box == (0, 0, *image.size):
        return image
    left, top, right, bottom = box
    inside = (max(left, 0), max(top, 0), min(right, image.width), min(bottom, image.height))
    part = image.crop(inside)
    if inside == box:
        return part
    padded = Image.new("RGB", (right - left, bottom - top), color)
    padded.paste(part, (inside[0] - left, inside[1] - top))
    return padded
