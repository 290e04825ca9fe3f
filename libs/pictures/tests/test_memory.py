"""What opening a file takes: each shape and format in a process of its own, which may take no more than is promised."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from hard_files import high_range_png, page, psd, raw_file, tiff
from PIL import Image, ImageCms
from PIL.ExifTags import Base

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere address space has no limit")

PLAIN, OTHER = 4, 16
"""Bytes a pixel that 8-bit PNG and baseline JPEG may take, and that any other format may."""
LONG = [(1, 65_535), (40_000, 1), (790, 36_861), (30_000, 2_000)]
LARGE = (8_000, 6_000)
NARROW = (1_100, 60_000)
MEDIUM = (6_000, 4_000)
# Of another size than the rest of the process expects, so that nothing is kept of the file opened before.
SMALL = (40, 30)

Maker = Callable[[tuple[int, int]], bytes]


def turned(turn: int) -> Image.Exif:
    exif = Image.Exif()
    exif[Base.Orientation] = turn
    return exif


def profile() -> bytes:
    """Return a profile that has to be applied."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return plain.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))


def maker(format: str, mode: str = "RGB", **options: Any) -> Maker:
    """Return what makes a file of a format and mode, one colour all over."""
    colors: dict[str, Any] = {
        "RGB": (200, 90, 9), "RGBA": (200, 90, 9, 128), "LA": (90, 128), "L": 90, "P": 3, "CMYK": (9, 99, 199, 9),
        "I;16": 4000, "F": 0.5, "1": 1,
    }  # fmt: skip

    def make(size: tuple[int, int]) -> bytes:
        out = BytesIO()
        image = Image.new(mode, size, colors[mode])
        if mode == "P":
            image.putpalette(bytes(range(256)) * 3)
        image.save(out, format, **options)
        return out.getvalue()

    return make


def png_of_16_bits(size: tuple[int, int]) -> bytes:
    out = BytesIO()
    Image.fromarray(np.full((size[1], size[0]), 40_000, np.uint16)).save(out, "PNG", compress_level=1)
    return out.getvalue()


def gif_of_many_frames(size: tuple[int, int]) -> bytes:
    out = BytesIO()
    frames = [Image.new("P", size, color) for color in range(8)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], transparency=0, disposal=2)
    return out.getvalue()


def heic(mode: str) -> Maker:
    def make(size: tuple[int, int]) -> bytes:
        out = BytesIO()
        color = (200, 90, 9, 128)[: len(mode)]
        pillow_heif.from_pillow(Image.new(mode, size, color)).save(out, quality=50)
        return out.getvalue()

    return make


def jpeg_without_its_end(**options: Any) -> Maker:
    def make(size: tuple[int, int]) -> bytes:
        return maker("JPEG", **options)(size)[:-3]

    return make


def deep_tiff(kind: str, **options: Any) -> Maker:
    def make(size: tuple[int, int]) -> bytes:
        return tiff(page(np.full((size[1], size[0], 3), 1, kind), 2, zipped=True, **options))

    return make


def jpeg_xl(size: tuple[int, int]) -> bytes:
    library = pytest.importorskip("pylibjxl")
    data: bytes = library.encode(np.full((size[1], size[0], 3), 99, np.uint8), effort=1)
    return data


CASES: list[tuple[str, Maker, tuple[int, int], int]] = [
    *((f"png {w}x{h}", maker("PNG"), (w, h), PLAIN) for w, h in LONG),
    *((f"jpeg {w}x{h}", maker("JPEG"), (w, h), PLAIN) for w, h in LONG if max(w, h) <= 65_500),
    *((f"tiff {w}x{h}", maker("TIFF", compression="tiff_lzw"), (w, h), OTHER) for w, h in LONG),
    ("png 1x1", maker("PNG"), (1, 1), PLAIN),
    ("png 14000x14000", maker("PNG", compress_level=1), (14_000, 14_000), PLAIN),
    ("jpeg 14000x14000", maker("JPEG"), (14_000, 14_000), PLAIN),
    *((f"png {mode}", maker("PNG", mode, compress_level=1), NARROW, PLAIN) for mode in ("RGBA", "LA", "P", "L")),
    ("png wide", maker("PNG", "RGBA", compress_level=1), LARGE, PLAIN),
    ("png palette, transparency", maker("PNG", "P", transparency=3, compress_level=1), LARGE, PLAIN),
    ("png profile", maker("PNG", icc_profile=profile(), compress_level=1), NARROW, PLAIN),
    ("png turned", maker("PNG", exif=turned(6), compress_level=1), NARROW, PLAIN),
    ("jpeg turned", maker("JPEG", exif=turned(6)), NARROW, PLAIN),
    ("jpeg profile", maker("JPEG", icc_profile=profile()), NARROW, PLAIN),
    ("jpeg CMYK", maker("JPEG", "CMYK"), NARROW, PLAIN),
    ("jpeg progressive", maker("JPEG", progressive=True, subsampling=0), LARGE, OTHER),
    ("png 16 bits", png_of_16_bits, LARGE, OTHER),
    ("gif", gif_of_many_frames, MEDIUM, OTHER),
    ("bmp", maker("BMP"), (5_000, 4_000), OTHER),
    ("webp", maker("WEBP", method=0), MEDIUM, OTHER),
    ("webp lossless", maker("WEBP", "RGBA", lossless=True, method=0, quality=0), MEDIUM, OTHER),
    ("webp turned", maker("WEBP", method=0, exif=turned(6)), MEDIUM, OTHER),
    ("tiff deflate", maker("TIFF", "RGBA", compression="tiff_adobe_deflate"), MEDIUM, OTHER),
    ("tiff jpeg", maker("TIFF", compression="jpeg"), MEDIUM, OTHER),
    ("tiff one strip", maker("TIFF", "CMYK", compression="tiff_lzw", strip_size=1 << 30), MEDIUM, OTHER),
    ("tiff 16 bits", maker("TIFF", "I;16", compression="tiff_lzw"), LARGE, OTHER),
    ("tiff floats", maker("TIFF", "F", compression="tiff_lzw"), MEDIUM, OTHER),
    ("avif", maker("AVIF", speed=10, subsampling="4:4:4"), MEDIUM, OTHER),
    ("avif transparent", maker("AVIF", "RGBA", speed=10), MEDIUM, OTHER),
    ("heic", heic("RGB"), (4_000, 3_000), OTHER),
    ("heic transparent", heic("RGBA"), (4_000, 3_000), OTHER),
    ("jpeg cut off", jpeg_without_its_end(), LARGE, OTHER),
    ("jpeg cut off, progressive", jpeg_without_its_end(progressive=True), LARGE, OTHER),
    ("png in PQ", high_range_png, MEDIUM, OTHER),
    ("tiff planes of 16 bits", deep_tiff("u2", planar=True), LARGE, OTHER),
    ("tiff floats of colours", deep_tiff("f4"), MEDIUM, OTHER),
    ("tiff doubles in tiles", deep_tiff("f8", tile=512), (4_000, 3_000), OTHER * 2),
    ("psd", lambda size: psd(np.full((size[1], size[0], 3), 99, "u1")), (5_000, 4_000), OTHER),
    ("psd 16 bits", lambda size: psd(np.full((size[1], size[0], 3), 99, "u2")), (3_500, 3_000), OTHER * 3),
    ("jpeg 2000", maker("JPEG2000"), MEDIUM, OTHER * 3),
    ("jpeg xl", jpeg_xl, MEDIUM, OTHER * 4),
    ("camera raw", lambda size: raw_file(Image.new("RGB", size, (200, 90, 9))), MEDIUM, OTHER),
]


@pytest.mark.parametrize(("make", "size", "bytes_per_pixel"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_opening_takes_no_more_memory_than_is_promised(make, size, bytes_per_pixel, tmp_path):
    small, file = tmp_path / "small", tmp_path / "file"
    small.write_bytes(make(SMALL))
    file.write_bytes(make(size))
    command = [sys.executable, str(Path(__file__).with_name("open_limited.py")), str(small), str(file)]
    done = subprocess.run(
        [*command, str(bytes_per_pixel), str(size[0] * size[1])],
        env={**os.environ, "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
