"""Reads images that come as raw pixels, RGB, row by row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sightline_pictures import PictureError, Preprocessing, check_size


def raw_picture(data: bytes, width: int, height: int, max_pixels: int) -> Image.Image:
    """Return raw pixels as a picture.

    Raises:
        PictureError: They are not width times height, or too many.
    """
    _check_length(data, width, height)
    check_size(width, height, max_pixels)
    return Image.frombuffer("RGB", (width, height), data, "raw", "RGB", 0, 1)


def raw_input(data: bytes, width: int, height: int, steps: Preprocessing) -> NDArray[np.uint8]:
    """Return raw pixels that are a model's input already.

    Raises:
        PictureError: They are not of its size.
    """
    _check_length(data, width, height)
    if (width, height) != (steps.crop_width, steps.crop_height):
        raise PictureError(
            f"preprocessed image of {width} x {height} pixels; the model's input is"
            f" {steps.crop_width} x {steps.crop_height}"
        )
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)


def _check_length(data: bytes, width: int, height: int) -> None:
    if width < 1 or height < 1 or len(data) != width * height * 3:
        raise PictureError(f"raw image: {len(data):,} bytes are not {width} x {height} x 3, or there are no pixels")
