"""Opens pictures: decodes a file's bytes within limits, or raises an error that a person can read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from PIL import Image
from PIL.ImageFile import ImageFile

from sightline_pictures import exif as exif_tags
from sightline_pictures.colours import to_srgb
from sightline_pictures.errors import PictureError
from sightline_pictures.formats import JPEG, TIFF, Format, declared_size, detect, is_truncated

_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
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


def open_picture(data: bytes, *, max_bytes: int, max_pixels: int, min_side: int | None = None) -> Picture:
    """Decode a file's bytes. Limits are checked before anything is decoded.

    Args:
        data: The whole file.
        max_bytes: The most bytes a file may have.
        max_pixels: The most pixels, width times height, a picture may have.
        min_side: If set, the picture may be decoded at a whole fraction of its size as long as no side of the result
            gets below this: far faster, and close to what resizing would give. A picture that is smaller is not
            changed.

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
        _check_pixels(*declared, max_pixels)
    try:
        # Any Exception: damaged files make Pillow's readers raise errors of all kinds.
        opened = kind.reader(BytesIO(data), "")
    except Exception as error:
        raise _unreadable(data, kind, error) from error
    try:
        _check_pixels(*opened.size, max_pixels)
        return _decode(opened, kind, min_side)
    except PictureError:
        raise
    except Exception as error:
        raise _unreadable(data, kind, error) from error


def _decode(opened: ImageFile, kind: Format, min_side: int | None) -> Picture:
    width, height = opened.size
    if kind is JPEG and min_side is not None:
        opened.draft(None, (min_side, min_side))
    opened.load()
    if kind is TIFF:
        # Its reader turns the picture upright itself while loading.
        width, height = opened.size
    turn, taken_at, camera = _describe(opened, kind)
    profile = opened.info.get("icc_profile")
    image = to_srgb(_reduced(opened, (width, height), min_side), profile if isinstance(profile, bytes) else None)
    if turn in _TRANSPOSITIONS:
        image = image.transpose(_TRANSPOSITIONS[turn])
        if turn >= 5:
            width, height = height, width
    return Picture(image, width, height, kind.name, taken_at, camera)


def _reduced(image: Image.Image, size: tuple[int, int], min_side: int | None) -> Image.Image:
    """Average blocks of pixels, as far as `min_side` allows: all that follows is then cheaper.

    Args:
        image: As decoded; a JPEG perhaps at a fraction of its size already.
        size: Width and height of the whole picture, turned as the image is.
        min_side: As for `open_picture`.
    """
    if min_side is None or image.mode not in _REDUCIBLE or "transparency" in image.info:
        return image
    # 1.5 times the pixels that a JPEG keeps: averaging is a rougher filter than its transform, as fine lines show.
    if (further := int(min(image.size) / (1.5 * min_side))) > 1:
        image = image.reduce(further)
    divisor = round(max(size) / max(image.size))
    if divisor == 1 or (size[0] % divisor == 0 and size[1] % divisor == 0):
        return image
    # The last blocks extend past the edge. Uncorrected, the picture would be stretched by up to a pixel, which changes
    # vectors more than the averaging does.
    exact = (size[0] / divisor, size[1] / divisor)
    return image.resize((int(exact[0]), int(exact[1])), Image.Resampling.BICUBIC, (0.0, 0.0, *exact))


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


def _check_pixels(width: int, height: int, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise PictureError(f"damaged: the header says {width} x {height} pixels")
    if width * height > max_pixels:
        raise PictureError(f"{width:,} x {height:,} pixels; the limit is {max_pixels:,} (IMAGE_MAX_PIXELS)")


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
