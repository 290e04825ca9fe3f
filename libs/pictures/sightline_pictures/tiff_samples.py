"""Reads TIFFs whose samples Pillow does not read, or reads wrongly: planes of 16 bits, 32 bits, signed, floating point.

Strips and tiles are decompressed by libtiff, through Pillow, as rows of bytes; what the bytes mean is done here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from sightline_pictures import tiff
from sightline_pictures.errors import PictureError
from sightline_pictures.ranges import ValueRange, float_range, integer_range
from sightline_pictures.tiff import Page

Values = NDArray[Any]

_COMPRESSIONS = frozenset({1, 5, 8, 32773, 32946, 34925, 50000, 50001})
_BAND_BYTES = 8_000_000
_SAMPLED_VALUES = 1_000_000
_COLOURS = {tiff.WHITE_IS_ZERO: 1, tiff.BLACK_IS_ZERO: 1, tiff.RGB: 3, tiff.CMYK: 4}
_MODES = {(1, False): "L", (1, True): "LA", (3, False): "RGB", (3, True): "RGBA", (4, False): "CMYK"}


@dataclass(frozen=True)
class Layout:
    """How a page's samples are stored."""

    page: Page
    width: int
    height: int
    bits: int
    form: int
    samples: int
    colours: int
    alpha: bool
    planes: int
    predictor: int
    photometric: int

    @property
    def is_for_pillow(self) -> bool:
        """Whether Pillow reads it right."""
        deep = self.bits > 8
        return (
            self.form == tiff.UNSIGNED
            and self.bits <= 16
            and not (deep and self.planes > 1)
            and not (deep and self.photometric == tiff.WHITE_IS_ZERO)
            and not (deep and self.colours == 1 and self.samples > 1)
        )

    @property
    def tiled(self) -> bool:
        """Whether it is stored in tiles."""
        return self.page.count(tiff.TILE_OFFSETS) > 0

    @property
    def segment(self) -> int:
        """Pixels of a row of a tile, or of the picture; a predictor starts anew after them."""
        return self.page.integer(tiff.TILE_WIDTH) or self.width if self.tiled else self.width

    @property
    def segments(self) -> int:
        """Tiles beside each other."""
        return -(-self.width // self.segment)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of a plane, with what the last tile has beyond the edge."""
        return self.segments * self.segment * self.bits // 8 * (1 if self.planes > 1 else self.samples)

    @property
    def unit_rows(self) -> int:
        """Rows of a strip or a tile."""
        if self.tiled:
            return max(1, self.page.integer(tiff.TILE_HEIGHT))
        return max(1, min(self.page.integer(tiff.ROWS_PER_STRIP, self.height), self.height))

    @property
    def unit_bytes(self) -> int:
        """Bytes of a strip, or of a row of tiles, of all planes: what is decompressed at once at least."""
        return self.unit_rows * self.row_bytes * self.planes


def layout_of(page: Page) -> Layout | None:
    """Return how a page's samples are stored; None where it is a kind that only Pillow may know.

    Raises:
        struct.error: The file ends before.
    """
    samples = page.integer(tiff.SAMPLES, 1)
    bits, forms = set(page.integers(tiff.BITS, (1,))), set(page.integers(tiff.SAMPLE_FORMAT, (tiff.UNSIGNED,)))
    photometric = page.integer(tiff.PHOTOMETRIC, tiff.BLACK_IS_ZERO)
    form = tiff.UNSIGNED if forms == {4} else max(forms)
    if (
        len(bits) != 1
        or len(forms) != 1
        or not 1 <= samples <= 64
        or photometric not in _COLOURS
        or form not in (tiff.UNSIGNED, tiff.SIGNED, tiff.FLOAT)
        or page.integer(tiff.COMPRESSION, 1) not in _COMPRESSIONS
    ):
        return None
    (each,) = bits
    if each not in ((16, 32, 64) if form == tiff.FLOAT else (8, 16, 32, 64)):
        return None
    colours = _COLOURS[photometric]
    extra = page.integers(tiff.EXTRA_SAMPLES)
    if colours == 1 and samples >= 3:
        # Several channels of a microscope or a satellite: the first three are shown as colours.
        colours = 3
    if samples < colours:
        return None
    return Layout(
        page=page,
        width=page.size[0],
        height=page.size[1],
        bits=each,
        form=form,
        samples=samples,
        colours=colours,
        alpha=samples > colours and colours != 4 and bool(extra) and extra[0] in (1, 2),
        planes=samples if page.integer(tiff.PLANAR, 1) == 2 and samples > 1 else 1,
        predictor=page.integer(tiff.PREDICTOR, 1),
        photometric=photometric,
    )


def load(layout: Layout) -> Image.Image:
    """Return the page's picture, 8 bits a sample, of mode L, LA, RGB, RGBA or CMYK.

    Raises:
        PictureError: Its strips are not all there.
    """
    used = _range(layout)
    mode = _MODES[layout.colours, layout.alpha]
    image = Image.new(mode, (layout.width, layout.height))
    for top, values in _bands(layout):
        pixels = used.to_bytes(values[:, :, : layout.colours])
        if layout.photometric == tiff.WHITE_IS_ZERO:
            pixels = 255 - pixels
        if layout.alpha:
            alpha = _full_range(layout).to_bytes(values[:, :, layout.colours : layout.colours + 1])
            pixels = np.concatenate([pixels, alpha], axis=2)
        image.paste(Image.fromarray(np.ascontiguousarray(pixels.squeeze(2) if mode == "L" else pixels), mode), (0, top))
    return image


def _bands(layout: Layout) -> Iterator[tuple[int, Values]]:
    """Yield the values in bands of rows, each with its first row: (rows, width, samples), of the file's own type."""
    units = -(-layout.height // layout.unit_rows)
    at_once = max(1, _BAND_BYTES // layout.unit_bytes)
    rows = max(1, _BAND_BYTES // (layout.row_bytes * layout.planes))
    for first in range(0, units, at_once):
        top = first * layout.unit_rows
        height = min(at_once * layout.unit_rows, layout.height - top)
        planes = [_plane(layout, number, first, min(at_once, units - first), height) for number in range(layout.planes)]
        for start in range(0, height, rows):
            parts = [_values(layout, plane[start : start + rows]) for plane in planes]
            yield top + start, parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def _plane(layout: Layout, number: int, first: int, count: int, height: int) -> Values:
    """Return some of a plane's bytes, decompressed: (height, bytes of a row) uint8.

    Args:
        layout: The page's.
        number: The plane's.
        first: The first strip, or row of tiles.
        count: How many of them.
        height: How many rows they have.
    """
    page = layout.page
    tags = (tiff.TILE_OFFSETS, tiff.TILE_BYTES) if layout.tiled else (tiff.STRIP_OFFSETS, tiff.STRIP_BYTES)
    offsets, lengths = (page.integers(tag) for tag in tags)
    each, across = len(offsets) // layout.planes, layout.segments if layout.tiled else 1
    part = slice(number * each + first * across, number * each + (first + count) * across)
    if len(lengths) != len(offsets) or len(offsets[part]) != count * across:
        raise PictureError("damaged TIFF file: it does not say where its pixels are")
    compression = page.integer(tiff.COMPRESSION, 1)
    pieces = [page.data[at : at + length] for at, length in zip(offsets[part], lengths[part], strict=True)]
    if compression == 1 and not layout.tiled:
        joined = pieces[0] if count == 1 else b"".join(pieces)
        if len(joined) < height * layout.row_bytes:
            raise PictureError("truncated: the TIFF file ends too early or is damaged")
        return np.frombuffer(joined, np.uint8, height * layout.row_bytes).reshape(height, -1)
    fields = {
        tiff.WIDTH: layout.row_bytes,
        tiff.HEIGHT: height,
        tiff.BITS: 8,
        tiff.COMPRESSION: compression,
        tiff.PHOTOMETRIC: tiff.BLACK_IS_ZERO,
        tiff.FILL_ORDER: page.integer(tiff.FILL_ORDER, 1),
        tiff.SAMPLES: 1,
    }
    if layout.tiled:
        fields |= {tiff.TILE_WIDTH: layout.row_bytes // across, tiff.TILE_HEIGHT: layout.unit_rows}
    else:
        fields |= {tiff.ROWS_PER_STRIP: layout.unit_rows}
    opened = TiffImageFile(BytesIO(_file(fields, tags, pieces)), "")
    opened.load()
    return np.asarray(opened)


def _file(fields: dict[int, int], tags: tuple[int, int], pieces: Sequence[bytes]) -> bytes:
    """Return a TIFF of one page of bytes, of some strips or tiles as they are compressed."""
    offsets, at = [], 8
    for piece in pieces:
        offsets.append(at)
        at += len(piece)
    padding = at % 2
    start = at + padding
    lists = {tags[0]: offsets, tags[1]: [len(piece) for piece in pieces]}
    values_at = start + 2 + 12 * (len(fields) + 2) + 4
    entries, values = b"", b""
    for tag, numbers in sorted({**{tag: [number] for tag, number in fields.items()}, **lists}.items()):
        packed = struct.pack(f"<{len(numbers)}L", *numbers)
        entries += struct.pack("<HHL", tag, 4, len(numbers))
        if len(numbers) == 1:
            entries += packed
        else:
            entries += struct.pack("<L", values_at + len(values))
            values += packed
    directory = struct.pack("<H", len(fields) + 2) + entries + bytes(4) + values
    return b"".join((b"II*\0", struct.pack("<L", start), *pieces, bytes(padding), directory))


def _values(layout: Layout, rows: Values) -> Values:
    """Return the values of some rows of bytes: (rows, width, samples of the plane)."""
    samples = 1 if layout.planes > 1 else layout.samples
    size = layout.bits // 8
    kind = {tiff.UNSIGNED: "u", tiff.SIGNED: "i", tiff.FLOAT: "f"}[layout.form]
    parts = rows.reshape(len(rows), -1, layout.segment * samples * size)
    if layout.predictor == 3 and layout.form == tiff.FLOAT:
        # Bytes of all values, the highest first, and each as the difference from the one before it.
        shape = (len(rows), parts.shape[1], -1, samples)
        summed = np.cumsum(parts.reshape(shape), axis=2, dtype=np.uint8).reshape(len(rows), parts.shape[1], size, -1)
        values = np.ascontiguousarray(summed.swapaxes(2, 3)).view(f">{kind}{size}")
    elif layout.predictor == 2:
        unsigned = np.ascontiguousarray(parts).view(f"{layout.page.order}u{size}")
        shape = (len(rows), parts.shape[1], layout.segment, samples)
        values = np.cumsum(unsigned.reshape(shape), axis=2, dtype=f"u{size}").view(f"{kind}{size}")
    else:
        values = np.ascontiguousarray(parts).view(f"{layout.page.order}{kind}{size}")
    return values.reshape(len(rows), -1, samples)[:, : layout.width]


def _full_range(layout: Layout) -> ValueRange:
    if layout.form == tiff.FLOAT:
        return ValueRange(0.0, 1.0)
    return ValueRange(0, 2 ** (layout.bits - (layout.form == tiff.SIGNED)) - 1)


def _range(layout: Layout) -> ValueRange:
    """Return the values that become black and white."""
    if layout.form == tiff.UNSIGNED and layout.bits <= 16 and layout.colours != 1:
        return _full_range(layout)
    step = max(1, layout.width * layout.height * layout.colours // _SAMPLED_VALUES)
    sampled = np.concatenate([values[:, :, : layout.colours].ravel()[::step] for _, values in _bands(layout)])
    absent = _no_data(layout.page)
    if absent is not None:
        sampled = sampled[sampled != absent]
    if layout.form == tiff.SIGNED:
        rest = sampled[sampled != np.iinfo(sampled.dtype).min]
        # The lowest value of a type stands for none where it is far from all others.
        if rest.size and float(rest.min()) - np.iinfo(sampled.dtype).min > float(rest.max()) - float(rest.min()):
            sampled = rest
    return float_range(sampled) if layout.form == tiff.FLOAT else integer_range(sampled)


def _no_data(page: Page) -> float | None:
    """Return the value that stands for none, as geographers' files say it."""
    text = page.bytes_of(tiff.NO_DATA)
    try:
        return float(text[:64].split(b"\0")[0]) if text else None
    except ValueError:
        return None
