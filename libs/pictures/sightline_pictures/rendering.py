"""What services make of a file: a model's input, a thumbnail, a preview.

Each function takes a file's bytes first, so that a `DecoderProcess` can run it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sightline_pictures.crop import Crop
from sightline_pictures.memory import allow
from sightline_pictures.metadata import Tags
from sightline_pictures.picture import Picture, open_picture, read_tags
from sightline_pictures.preprocessing import Preprocessing, preprocess
from sightline_pictures.settings import PictureSettings
from sightline_pictures.thumbnails import PREVIEW_SIDE, THUMBNAIL_SIDE, preview, thumbnail

_CHECK_SIDE = 64


@dataclass(frozen=True)
class IndexInput:
    """What is made of a file to index it.

    Attributes:
        picture: Its image is empty.
        thumbnail: WebP; None where it was not asked for.
        pixels: The model's input.
    """

    picture: Picture
    thumbnail: bytes | None
    pixels: NDArray[np.uint8]


def render_input(data: bytes, limits: PictureSettings, steps: Preprocessing) -> NDArray[np.uint8]:
    """Return a file as a model's input, as `preprocess` does.

    Raises:
        PictureError: As `open_picture` does; so do the other functions.
    """
    return preprocess(_open(data, limits, steps.min_side).image, steps)


def render_thumbnail(data: bytes, limits: PictureSettings) -> bytes:
    """Return a file's thumbnail, WebP."""
    return thumbnail(_open(data, limits, THUMBNAIL_SIDE).image)


def render_preview(data: bytes, limits: PictureSettings) -> bytes:
    """Return a file's preview, WebP."""
    return preview(_open(data, limits, PREVIEW_SIDE).image)


def render_crop(data: bytes, limits: PictureSettings, crop: Crop) -> bytes:
    """Return a rectangle of a file's picture at the size of a preview, WebP.

    Raises:
        PictureError: Also where the rectangle is too small.
    """
    picture = _open(data, limits, ceil(PREVIEW_SIDE / min(crop.width, crop.height)))
    return preview(crop.of(picture.image, picture.width, picture.height))


def render_thumbnail_and_input(
    data: bytes, limits: PictureSettings, steps: Preprocessing
) -> tuple[bytes, NDArray[np.uint8]]:
    """Return a file's thumbnail, WebP, and the file as a model's input."""
    image = _open(data, limits, max(steps.min_side, THUMBNAIL_SIDE)).image
    return thumbnail(image), preprocess(image, steps)


def render_index_input(data: bytes, limits: PictureSettings, steps: Preprocessing, with_thumbnail: bool) -> IndexInput:
    """Return what is made of a file to index it."""
    picture = _open(data, limits, max(steps.min_side, THUMBNAIL_SIDE))
    return IndexInput(
        picture=replace(picture, image=Image.new("RGB", (0, 0))),
        thumbnail=thumbnail(picture.image) if with_thumbnail else None,
        pixels=preprocess(picture.image, steps),
    )


def read_file_tags(data: bytes) -> Tags:
    """Return what a file says about its picture, as `read_tags` does."""
    return read_tags(data, on_size=allow)


def check_format(data: bytes, limits: PictureSettings) -> str:
    """Decode a file, and return the name of its format."""
    return _open(data, limits, _CHECK_SIDE).format


def _open(data: bytes, limits: PictureSettings, min_side: int) -> Picture:
    return open_picture(
        data, max_bytes=limits.max_bytes, max_pixels=limits.max_pixels, min_side=min_side, on_size=allow
    )
