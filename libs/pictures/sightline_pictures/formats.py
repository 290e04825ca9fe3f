"""The table of file formats that are read; PostScript, vector graphics and video are not."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from pi_heif.as_plugin import HeifImageFile
from PIL import AvifImagePlugin, PngImagePlugin
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from sightline_pictures import tiff

# Several pictures are decoded at a time, and each thread takes memory of its own.
AvifImagePlugin.DEFAULT_MAX_THREADS = 2
# Of a text that is not ASCII each character may take four bytes.
PngImagePlugin.MAX_TEXT_MEMORY = 16 * 1024 * 1024

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_CONTAINER_BRANDS = frozenset({b"mif1", b"msf1"})


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        name: As Sightline shows it.
        media_type: As browsers know it.
        extensions: In lower case, the usual one first.
        reader: Pillow's. The class itself is called, not `PIL.Image.open`: that would measure every file against
            Pillow's global `MAX_IMAGE_PIXELS` and warn or raise by it, where the limit here is the caller's.
    """

    name: str
    media_type: str
    extensions: tuple[str, ...]
    reader: Callable[[BytesIO, str], ImageFile]


JPEG = Format("JPEG", "image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), JpegImageFile)
PNG = Format("PNG", "image/png", (".png",), PngImageFile)
WEBP = Format("WebP", "image/webp", (".webp",), WebPImageFile)
GIF = Format("GIF", "image/gif", (".gif",), GifImageFile)
BMP = Format("BMP", "image/bmp", (".bmp", ".dib"), BmpImageFile)
TIFF = Format("TIFF", "image/tiff", (".tif", ".tiff"), TiffImageFile)
HEIC = Format("HEIC", "image/heic", (".heic", ".heif", ".hif"), HeifImageFile)
AVIF = Format("AVIF", "image/avif", (".avif",), AvifImageFile)

FORMATS = {format.name: format for format in (JPEG, PNG, WEBP, GIF, BMP, TIFF, HEIC, AVIF)}
"""All of them, by name."""
EXTENSIONS = frozenset(extension for format in FORMATS.values() for extension in format.extensions)


def detect(data: bytes) -> Format | None:
    """Return the format by the first bytes, whatever the file's name; None for any other file."""
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return WEBP
    if data.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return TIFF
    if data[4:8] == b"ftyp":
        return _detect_heif(data)
    if data.startswith(b"BM"):
        return BMP
    return None


def _detect_heif(data: bytes) -> Format | None:
    brand = data[8:12]
    if brand in _CONTAINER_BRANDS:
        # The container's own brand says nothing of the codec; the compatible brands after it do.
        length = min(int.from_bytes(data[:4], "big"), 256)
        compatible = {data[at : at + 4] for at in range(16, length - 3, 4)}
        return AVIF if compatible & _AVIF_BRANDS else HEIC
    if brand in _AVIF_BRANDS:
        return AVIF
    return HEIC if brand in _HEIC_BRANDS else None


def declared_size(data: bytes, format: Format) -> tuple[int, int] | None:
    """Return width and height in pixels as the header states them; None for formats whose header is not read here.

    It is checked before Pillow opens the file: Pillow's readers allocate a WebP's canvas when they open it, and give no
    size at all for a file that ends right after its header.

    Raises:
        PictureError: A TIFF's header says what would take memory out of proportion to its pixels.
    """
    try:
        if format is PNG and data[12:16] == b"IHDR":
            width, height = struct.unpack_from(">II", data, 16)
        elif format is GIF:
            width, height = struct.unpack_from("<HH", data, 6)
        elif format is BMP and struct.unpack_from("<I", data, 14)[0] >= 40:
            width, height = map(abs, struct.unpack_from("<ii", data, 18))
        elif format is WEBP:
            return _webp_size(data)
        elif format is TIFF:
            return tiff.checked_size(data)
        else:
            return None
    except struct.error:
        return None
    return width, height


def _webp_size(data: bytes) -> tuple[int, int] | None:
    if data[12:16] == b"VP8X":
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    elif data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif data[12:16] == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return width, height


def scans_of(data: bytes) -> int:
    """Return how many scans a JPEG may have at most: each is a pass over all of its pixels."""
    return data.count(b"\xff\xda")


def is_truncated(data: bytes, format: Format) -> bool:
    """Return whether a file is shorter than its header says, for the formats whose readers do not notice."""
    if format is WEBP:
        return len(data) < 12 or int.from_bytes(data[4:8], "little") + 8 > len(data)
    if format not in (HEIC, AVIF):
        return False
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        if length < 8:
            # 0 means to the end of the file; other lengths below 8 are invalid.
            return False
        at += length
    return at != len(data)
