"""The table of file formats that are read; PostScript, vector graphics and video are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pi_heif.as_plugin import HeifImageFile
from PIL import AvifImagePlugin
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from sightline_pictures.animation import animation_source
from sightline_pictures.camera_raw import NAME, is_camera_raw
from sightline_pictures.jpeg import open_jpeg
from sightline_pictures.jpeg2000 import open_jpeg2000
from sightline_pictures.jxl import open_jxl
from sightline_pictures.psd import open_psd
from sightline_pictures.source import Loaded, Source, pillow_source
from sightline_pictures.tiff_source import open_raw, open_tiff

# Several pictures are decoded at a time, and each thread takes memory of its own.
AvifImagePlugin.DEFAULT_MAX_THREADS = 2

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
        open: Opens a file's bytes, and decodes nothing yet.
    """

    name: str
    media_type: str
    extensions: tuple[str, ...]
    open: Callable[[bytes], Source]


def _open_bmp(data: bytes) -> Source:
    source = pillow_source(BmpImageFile)(data)

    def load(min_side: int | None) -> Loaded:
        loaded = source.load(min_side)
        if loaded.image.mode == "RGBA" and loaded.image.getchannel("A").getextrema() == (0, 0):
            # Most programs leave the fourth byte empty, whatever the header calls it.
            return replace(loaded, image=loaded.image.convert("RGB"))
        return loaded

    return replace(source, load=load)


JPEG = Format("JPEG", "image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo"), open_jpeg)
PNG = Format("PNG", "image/png", (".png", ".apng"), animation_source(PngImageFile))
WEBP = Format("WebP", "image/webp", (".webp",), animation_source(WebPImageFile))
GIF = Format("GIF", "image/gif", (".gif",), animation_source(GifImageFile))
BMP = Format("BMP", "image/bmp", (".bmp", ".dib"), _open_bmp)
TIFF = Format("TIFF", "image/tiff", (".tif", ".tiff"), open_tiff)
HEIC = Format("HEIC", "image/heic", (".heic", ".heif", ".hif"), pillow_source(HeifImageFile))
AVIF = Format("AVIF", "image/avif", (".avif", ".avifs"), animation_source(AvifImageFile))
JXL = Format("JPEG XL", "image/jxl", (".jxl",), open_jxl)
JPEG_2000 = Format("JPEG 2000", "image/jp2", (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"), open_jpeg2000)
PSD = Format("PSD", "image/vnd.adobe.photoshop", (".psd",), open_psd)
CAMERA_RAW = Format(
    NAME,
    "image/x-raw",
    (
        ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw", ".3fr", ".crw", ".erf", ".fff",
        ".gpr", ".iiq", ".k25", ".kdc", ".dcr", ".mef", ".mos", ".mrw", ".nrw", ".raw", ".rwl", ".sr2", ".srf", ".x3f",
    ),
    open_raw,
)  # fmt: skip

FORMATS = {
    format.name: format for format in (JPEG, PNG, WEBP, GIF, BMP, TIFF, HEIC, AVIF, JXL, JPEG_2000, PSD, CAMERA_RAW)
}
"""All of them, by name."""
EXTENSIONS = frozenset(extension for format in FORMATS.values() for extension in format.extensions)


def detect(data: bytes) -> Format | None:
    """Return the format by the first bytes, whatever the file's name; None for any other file.

    A camera's raw file that is a TIFF is one here; `open_tiff` tells them apart.
    """
    for start, format in _STARTS:
        if data.startswith(start):
            return format
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return WEBP
    if is_camera_raw(data):
        return CAMERA_RAW
    return _detect_heif(data) if data[4:8] == b"ftyp" else None


_STARTS = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"BM", BMP),
    (b"8BPS\0\1", PSD),
    (b"\xff\x0a", JXL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", JXL),
    (b"\0\0\0\x0cjP  \r\n\x87\n", JPEG_2000),
    (b"\xff\x4f\xff\x51", JPEG_2000),
)


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
