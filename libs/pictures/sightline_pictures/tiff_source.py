"""Opens TIFFs: chooses the page, and who reads its samples."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from sightline_pictures import tiff, tiff_samples
from sightline_pictures.camera_raw import NAME, open_camera_raw, picture_in
from sightline_pictures.source import Loaded, Source, exif_of, loaded


def open_tiff(data: bytes) -> Source:
    """Open a TIFF, or a camera's raw file that looks like one.

    Raises:
        PictureError: What it says would take memory out of proportion to its pixels.
    """
    found = tiff.pages(data)
    if tiff.is_camera_raw(data):
        return open_camera_raw(data, _open_preview)
    page = tiff.picture_page(found)
    return _open_page(data, page)


def open_raw(data: bytes) -> Source:
    """Open a camera's raw file that is not a TIFF.

    Raises:
        PictureError: It is not read.
    """
    return open_camera_raw(data, _open_preview)


def _open_preview(data: bytes) -> Source:
    return replace(_open_page(data, picture_in(data)), format=NAME)


def _open_page(data: bytes, page: tiff.Page | None) -> Source:
    layout = None
    if page is not None:
        if page.pixels:
            tiff.check_page(page)
        layout = tiff_samples.layout_of(page)
        if page.offset != _first_offset(data):
            data = tiff.starting_at(data, page)
        if layout is not None and not layout.is_for_pillow:
            return _deep_source(page.data, layout)
    opened = TiffImageFile(BytesIO(data), "")

    def load(_: int | None) -> Loaded:
        opened.load()
        # Its reader turns the picture upright itself while loading.
        return loaded(opened)

    return Source(opened.size, load, opened.getexif, turn=1, info=opened.info)


def _first_offset(data: bytes) -> int:
    order = "little" if data[:2] == b"II" else "big"
    start, end = (8, 16) if data[2:4] in (b"+\0", b"\0+") else (4, 8)
    return int.from_bytes(data[start:end], order)  # type: ignore[arg-type]


def _deep_source(data: bytes, layout: tiff_samples.Layout) -> Source:
    def load(_: int | None) -> Loaded:
        image = tiff_samples.load(layout)
        profile = layout.page.bytes_of(tiff.ICC_PROFILE)
        return Loaded(image, image.size, profile)

    def exif() -> Image.Exif:
        return exif_of(tiff.starting_at(data, layout.page))

    # What is decompressed at once, and copied, is usually little; of a file of one strip it is all of it.
    pixels = layout.width * layout.height
    cost = max(1, -(-(4 * layout.unit_bytes // max(pixels, 1) + 8) // 16))
    return Source((layout.width, layout.height), load, exif, cost=cost)
