"""Opens pictures: decodes a file's bytes within limits, or raises an error that a person can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from PIL import Image

from sightline_pictures.colours import srgb_steps
from sightline_pictures.cost import check_cost
from sightline_pictures.errors import PictureError
from sightline_pictures.formats import FORMATS, Format, detect
from sightline_pictures.hdr import high_range_of
from sightline_pictures.headers import declared_size
from sightline_pictures.memory import room_for_copies
from sightline_pictures.metadata.embedded import read_embedded
from sightline_pictures.metadata.exif import orientation
from sightline_pictures.metadata.values import NO_TAGS, Tags
from sightline_pictures.reasons import unreadable, why_unknown
from sightline_pictures.reduction import convert, reduction_factor, whole
from sightline_pictures.repair import repair
from sightline_pictures.source import Source

MAX_SIDE = 65_535
"""The most pixels that a side may have; JPEG's own limit."""

_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

READER_VERSION = 2
"""Of what is read of a file, and how; records of an older one are read again. Raise it where pixels, size or properties
of files that are read already change, or where files are read that failed."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture, with the format and EXIF of its file.

    Attributes:
        image: Mode RGB, sRGB, upright, transparency on white, or on grey where white would hide it. Smaller than width
            by height where it was decoded with `min_side`.
        width: In pixels, of the whole picture, upright.
        height: In pixels, of the whole picture, upright.
        format: One of `FORMATS`.
        tags: What the file says about the picture.
        note: What is missing of it, for a person to read; None where it is whole.
    """

    image: Image.Image
    width: int
    height: int
    format: str
    tags: Tags
    note: str | None = None


def open_picture(
    data: bytes,
    *,
    max_bytes: int,
    max_pixels: int,
    min_side: int | None = None,
    on_size: Callable[[int], None] = lambda _: None,
) -> Picture:
    """Decode a file's bytes. Limits are checked before anything is decoded.

    With `min_side` it takes no more memory than `sightline_pictures.memory` says: a large picture whose shorter side is
    small, or that has to be converted or turned, is then made smaller than `min_side` asks where a second copy of it
    would take too much.

    Args:
        data: The whole file.
        max_bytes: The most bytes a file may have.
        max_pixels: The most pixels, width times height, a picture may have; no side may have more than MAX_SIDE.
        min_side: If set, the picture may be decoded at a whole fraction of its size as long as no side of the result
            gets below this: far faster, and close to what resizing would give. A picture that is smaller is not
            changed.
        on_size: Called with the number of pixels before anything of that size is allocated.

    Raises:
        PictureError: The file cannot be decoded, or exceeds a limit.
    """
    if not data:
        raise PictureError("empty file: it has no bytes")
    if len(data) > max_bytes:
        raise PictureError(f"{len(data):,} bytes; the limit is {max_bytes:,} (IMAGE_MAX_BYTES)")
    kind = detect(data)
    if kind is None:
        raise PictureError(why_unknown(data, ", ".join(FORMATS)))
    check_cost(data, kind.name)
    declared = declared_size(data, kind.name)
    if declared:
        check_size(*declared, max_pixels)
        on_size(declared[0] * declared[1])
    open_file = partial(_open, kind=kind, max_pixels=max_pixels, min_side=min_side, on_size=on_size)
    # Any Exception: damaged files make libraries raise errors of all kinds.
    try:
        return open_file(data)
    except (PictureError, MemoryError) as error:
        raise _for_person(data, kind, error) from error
    except Exception as error:
        failed = error
    try:
        repaired = repair(data, kind.name)
        if repaired is not None:
            return replace(open_file(repaired.data), note=repaired.note)
    except PictureError:
        raise
    except Exception:  # noqa: S110 - what was wrong with the file itself is what is told
        pass
    raise _for_person(data, kind, failed) from failed


def _for_person(data: bytes, kind: Format, error: Exception) -> PictureError:
    return error if isinstance(error, PictureError) else unreadable(data, kind.name, error)


def read_tags(data: bytes, on_size: Callable[[int], None] = lambda _: None) -> Tags:
    """Return what a picture's file says about it, without decoding the picture; nothing where it cannot be read.

    Args:
        data: The whole file.
        on_size: As for `open_picture`.
    """
    kind = detect(data)
    if kind is None:
        return NO_TAGS
    try:
        check_cost(data, kind.name)
        width, height = declared_size(data, kind.name) or (0, 0)
        on_size(width * height)
        source = kind.open(data)
        if source.is_info_packed:
            on_size(source.size[0] * source.size[1] * source.cost)
            source.load(None)
        return read_embedded(data, source.info)
    except Exception:
        return NO_TAGS


def check_size(width: int, height: int, max_pixels: int, cost: int = 1) -> None:
    """Check the size that a header states.

    Args:
        width: In pixels.
        height: In pixels.
        max_pixels: As for `open_picture`.
        cost: How many times as much memory a pixel takes as usual; so many fewer may there be.

    Raises:
        PictureError: There are no pixels, or too many, or a side is too long.
    """
    if width < 1 or height < 1:
        raise PictureError(f"damaged: the header says {width} x {height} pixels")
    if width * height * cost > max_pixels:
        of_kind = f" for a file of its kind, {max_pixels // cost:,}" if cost > 1 else ""
        raise PictureError(f"{width:,} x {height:,} pixels; the limit is {max_pixels:,}{of_kind} (IMAGE_MAX_PIXELS)")
    if max(width, height) > MAX_SIDE:
        raise PictureError(f"{width:,} x {height:,} pixels; a side may have {MAX_SIDE:,}")


def _open(data: bytes, kind: Format, max_pixels: int, min_side: int | None, on_size: Callable[[int], None]) -> Picture:
    source = kind.open(data)
    check_size(*source.size, max_pixels, source.cost)
    on_size(source.size[0] * source.size[1] * source.cost)
    loaded = source.load(min_side)
    width, height = loaded.shown_size or loaded.size
    turn = _orientation(source)
    steps = srgb_steps(loaded.image, loaded.icc_profile, high_range_of(data, kind.name, loaded.icc_profile))
    factor = 1
    if min_side is not None:
        # It is copied once to be converted, and once more to be turned.
        copies = bool(steps) + (turn in _TRANSPOSITIONS)
        factor = reduction_factor(loaded.image, min_side, copies, room_for_copies(len(data)))
    image = whole(convert(loaded.image, steps, factor), loaded.size)
    if turn in _TRANSPOSITIONS:
        image = image.transpose(_TRANSPOSITIONS[turn])
        if turn >= 5:
            width, height = height, width
    return Picture(image, width, height, source.format or kind.name, read_embedded(data, source.info))


def _orientation(source: Source) -> int:
    """Return the EXIF orientation. A picture that decodes is not refused for invalid EXIF."""
    if source.turn is not None:
        return source.turn
    try:
        return orientation(source.exif())
    except Exception:
        return 1
