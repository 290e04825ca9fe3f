"""Says why a file is not read, in words for a person; never in those of a library."""

from __future__ import annotations

import re

from PIL import Image

from sightline_pictures.errors import PictureError
from sightline_pictures.headers import is_truncated

# How Pillow and the libraries below it say that the bytes end too early.
_TRUNCATED = re.compile(
    r"truncat|end of file|\beof\b|not enough|too short|file too small|unexpected end|incomplete|"
    r"premature|buffer size|requires a buffer|cannot read|bytes not processed|Error reading image data|"
    r"buffer is not large enough|broken data stream|tile cannot extend|failed to read"
    , re.IGNORECASE,
)  # fmt: skip
_UNSUPPORTED = re.compile(r"unknown pixel mode|unsupported|not supported|unknown compression|no decoder", re.IGNORECASE)


def unreadable(data: bytes, format: str, error: Exception) -> PictureError:
    """Return the error of a file that a library failed to open or to decode."""
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        # Some readers check single frames and strips against Pillow's own limit, whatever Sightline's is.
        return PictureError(f"too many pixels in one part of the {format} file")
    if isinstance(error, MemoryError):
        return PictureError(f"too large to decode in the memory available ({format})")
    detail = " ".join(str(error).split())
    if _UNSUPPORTED.search(detail) or isinstance(error, KeyError | NotImplementedError):
        return PictureError(f"a kind of {format} that is not read here, or a damaged file")
    if isinstance(error, EOFError) or _TRUNCATED.search(detail) or is_truncated(data, format):
        return PictureError(f"truncated: the {format} file ends too early or is damaged")
    return PictureError(f"damaged {format} file: it cannot be decoded")


def why_unknown(data: bytes, formats: str) -> str:
    """Return why a file is not an image that is read here.

    Args:
        data: The file's bytes.
        formats: The names of the formats that are read.
    """
    head = data[:512]
    if not head.strip(b"\0"):
        return "not an image: it starts with nothing but zero bytes"
    if head.startswith((b"%PDF", b"%!PS")):
        return "not an image: it is a PDF or PostScript document"
    if head[4:8] == b"ftyp":
        return "not an image that Sightline reads: a video, or a kind of HEIF that is not HEIC or AVIF"
    if head.lstrip().startswith((b"<svg", b"<?xml")) and b"<svg" in data[:4096]:
        return "not an image that Sightline reads: vector graphics (SVG)"
    if all(byte >= 32 or byte in b"\t\r\n\f\x1b" for byte in head):
        try:
            head[:500].decode("utf-8", "strict" if len(data) <= 500 else "ignore")
            return "not an image: it looks like text"
        except UnicodeDecodeError:
            pass
    return f"not an image that Sightline reads ({formats})"
