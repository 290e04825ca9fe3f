"""What services make of a file: a model's input, a thumbnail, a preview.

Each function takes a file's bytes first, so that a `DecoderProcess` can run it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sightline_pictures.memory import allow
from sightline_pictures.picture import Picture, open_picture
from sightline_pictures.preprocessing import Preprocessing, preprocess
from sightline_pictures.settings import PictureSettings
from sightline_pictures.thumbnails import PREVIEW_SIDE, THUMBNAIL_SIDE, preview, thumbnail

_CHECK_SIDE = 64


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


def render_thumbnail_and_input(
    data: bytes, limits: PictureSettings, steps: Preprocessing
) -> tuple[bytes, NDArray[np.uint8]]:
    """Return a file's thumbnail, WebP, and the file as a model's input."""
    image = _open(data, limits, max(steps.min_side, THUMBNAIL_SIDE)).image
    return thumbnail(image), preprocess(image, steps)


def check_format(data: bytes, limits: PictureSettings) -> str:
    """Decode a file, and return the name of its format."""
    return _open(data, limits, _CHECK_SIDE).format


def _open(data: bytes, limits: PictureSettings, min_side: int) -> Picture:
    return open_picture(
        data, max_bytes=limits.max_bytes, max_pixels=limits.max_pixels, min_side=min_side, on_size=allow
    )
