"""Opens pictures: decodes a file's bytes within limits, or raises an error that a person can read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from PIL import Image
from PIL.ImageFile import ImageFile

from sightline_pictures import exif as exif_tags
from sightline_pictures.colours import Step, bands, srgb_steps
from sightline_pictures.errors import PictureError
from sightline_pictures.formats import JPEG, TIFF, Format, declared_size, detect, is_truncated, scans_of
from sightline_pictures.memory import room_for_copies

MAX_SIDE = 65_535
"""Pixels of a side at most; a JPEG's limit, too."""

_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MAX_SCAN_PIXELS = 20_000_000_000
"""Pixels of a progressive JPEG times its scans: each is a pass over all pixels, and a few bytes make one."""
_LARGE_PIXELS = 25_000_000
"""A JPEG is decoded smaller until it has no more than so many, however narrow it gets."""
_REDUCIBLE = frozenset({"RGB", "L", "RGBA", "LA", "CMYK", "YCbCr"})
# How Pillow and the libraries below it say that the bytes end too early.
_TRUNCATED = re.compile(
    r"truncat|end of file|\beof\b|not enough|too short|file too small|unexpected end|incomplete|"
    r"premature|buffer size|requires a buffer|cannot read|bytes not processed|Error reading image data|"
    r"buffer is not large enough|broken data stream|tile cannot extend|failed to read"
    , re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A decoded picture, with the format and EXIF of its file.

    Attributes:
        image: Mode RGB, sRGB, upright, transparency on white. Smaller than width by height where it was decoded
            with `min_side`.
        width: In pixels, of the whole picture, upright.
        height: In pixels, of the whole picture, upright.
        format: JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF.
        taken_at: From EXIF, aware, in UTC.
        camera: From EXIF: maker and model.
    """

    image: Image.Image
    width: int
    height: int
    format: str
    taken_at: datetime | None
    camera: str | None


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
        raise PictureError(_why_unknown(data))
    declared = declared_size(data, kind)
    if declared:
        check_size(*declared, max_pixels)
        on_size(declared[0] * declared[1])
    try:
        # Any Exception: damaged files make Pillow's readers raise errors of all kinds.
        opened = kind.reader(BytesIO(data), "")
    except Exception as error:
        raise _unreadable(data, kind, error) from error
    try:
        width, height = opened.size
        check_size(width, height, max_pixels)
        on_size(width * height)
        if kind is JPEG and opened.info.get("progressive") and scans_of(data) * width * height > _MAX_SCAN_PIXELS:
            raise PictureError("it would take too long to decode: a progressive JPEG of too many scans")
        return _decode(opened, kind, min_side, room_for_copies(len(data)))
    except PictureError:
        raise
    except Exception as error:
        raise _unreadable(data, kind, error) from error


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Check the size that a header states.

    Raises:
        PictureError: There are no pixels, or too many, or a side is too long.
    """
    if width < 1 or height < 1:
        raise PictureError(f"damaged: the header says {width} x {height} pixels")
    if width * height > max_pixels:
        raise PictureError(f"{width:,} x {height:,} pixels; the limit is {max_pixels:,} (IMAGE_MAX_PIXELS)")
    if max(width, height) > MAX_SIDE:
        raise PictureError(f"{width:,} x {height:,} pixels; a side may have {MAX_SIDE:,}")


def _decode(opened: ImageFile, kind: Format, min_side: int | None, room: int) -> Picture:
    width, height = opened.size
    if kind is JPEG and min_side is not None and (scale := _jpeg_scale(width, height, min_side)) > 1:
        opened.draft(None, (max(1, width // scale), max(1, height // scale)))
    opened.load()
    if kind is TIFF:
        # Its reader turns the picture upright itself while loading.
        width, height = opened.size
    turn, taken_at, camera = _describe(opened, kind)
    profile = opened.info.get("icc_profile")
    steps = srgb_steps(opened, profile if isinstance(profile, bytes) else None)
    factor = 1
    if min_side is not None:
        # It is copied once to be converted, and once more to be turned.
        factor = _factor(opened, min_side, bool(steps) + (turn in _TRANSPOSITIONS), room)
    image = _whole(_convert(opened, steps, factor), (width, height))
    if turn in _TRANSPOSITIONS:
        image = image.transpose(_TRANSPOSITIONS[turn])
        if turn >= 5:
            width, height = height, width
    return Picture(image, width, height, kind.name, taken_at, camera)


def _jpeg_scale(width: int, height: int, min_side: int) -> int:
    """Return the divisor, one of 1, 2, 4 and 8, at which a JPEG is decoded."""
    scale = 1
    while scale < 8 and (min(width, height) >= 2 * scale * min_side or width * height > _LARGE_PIXELS * scale**2):
        scale *= 2
    return scale


def _factor(image: Image.Image, min_side: int, copies: int, room: int) -> int:
    """Return by how much a decoded picture is reduced: all that follows is then cheaper.

    Args:
        image: As decoded; a JPEG perhaps at a fraction of its size already.
        min_side: As for `open_picture`.
        copies: How often it is copied.
        room: Bytes that copies may take.
    """
    pixels = image.width * image.height
    # 1.5 times the pixels that a JPEG keeps: averaging is a rougher filter than its transform, as fine lines show.
    factor = int(min(image.size) / (1.5 * min_side)) if _is_reducible(image) else 1
    if factor <= 1 and 4 * pixels * copies <= room:
        return 1
    # Two copies at a time, of four bytes a pixel.
    return max(factor, 2, math.ceil(math.sqrt(8 * pixels / room)))


def _is_reducible(image: Image.Image) -> bool:
    """Return whether averaging pixels makes sense before they are converted."""
    return image.mode in _REDUCIBLE and "transparency" not in image.info


def _convert(image: Image.Image, steps: list[Step], factor: int) -> Image.Image:
    """Return the picture in mode RGB, blocks of `factor` x `factor` pixels averaged, a band of rows at a time."""
    if not steps:
        return image.reduce(factor) if factor > 1 else image
    converted: Image.Image | None = None
    early = _is_reducible(image)
    size = (-(-image.width // factor), -(-image.height // factor))
    for top, part in bands(image, factor):
        band = part.reduce(factor) if factor > 1 and early else part
        for step in steps:
            band = step(band)
        if factor > 1 and not early:
            band = band.reduce(factor)
        if band.size == size:
            return band
        converted = converted or Image.new("RGB", size)
        converted.paste(band, (0, top // factor))
    assert converted is not None
    return converted


def _whole(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a picture that was decoded smaller or reduced without what its last blocks have beyond the edge.

    Uncorrected, the picture would be stretched by up to a pixel, which changes vectors more than the averaging does.

    Args:
        image: The smaller picture.
        size: Width and height of the whole picture, turned as the image is.
    """
    divisor = round(max(size) / max(image.size))
    if divisor == 1 or (size[0] % divisor == 0 and size[1] % divisor == 0):
        return image
    exact = (size[0] / divisor, size[1] / divisor)
    smaller = (max(1, int(exact[0])), max(1, int(exact[1])))
    return image.resize(smaller, Image.Resampling.BICUBIC, (0.0, 0.0, *exact))


def _describe(opened: ImageFile, kind: Format) -> tuple[int, datetime | None, str | None]:
    """Return orientation, date and camera. A picture that decodes is not refused for invalid EXIF."""
    try:
        exif = opened.getexif()
        turn = 1 if kind is TIFF else exif_tags.orientation(exif)
    except Exception:
        return 1, None, None
    try:
        return turn, exif_tags.taken_at(exif), exif_tags.camera(exif)
    except Exception:
        return turn, None, None


def _unreadable(data: bytes, kind: Format, error: Exception) -> PictureError:
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        # Some readers check single frames and strips against Pillow's own limit, whatever Sightline's is.
        return PictureError(f"too many pixels in one part of the {kind.name} file: {error}")
    if isinstance(error, MemoryError):
        return PictureError(f"too large to decode in the memory available ({kind.name})")
    detail = " ".join(str(error).split())[:160]
    if isinstance(error, EOFError) or _TRUNCATED.search(detail) or is_truncated(data, kind):
        return PictureError(f"truncated: the {kind.name} file ends too early or is damaged")
    return PictureError(f"damaged {kind.name} file" + (f": {detail}" if detail else ""))


def _why_unknown(data: bytes) -> str:
    """Return why a file is not an image that is read here."""
    head = data[:512]
    if not head.strip(b"\0"):
        return "not an image: it starts with nothing but zero bytes"
    if head.startswith((b"%PDF", b"%!PS")):
        return "not an image: it is a PDF or PostScript document"
    if head[4:8] == b"ftyp":
        return "not an image that Sightline reads: a video, or a kind of HEIF that is not HEIC or AVIF"
    if all(byte >= 32 or byte in b"\t\r\n\f\x1b" for byte in head):
        try:
            head[:500].decode("utf-8", "strict" if len(data) <= 500 else "ignore")
            return "not an image: it looks like text"
        except UnicodeDecodeError:
            pass
    return "not an image that Sightline reads (JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF)"
