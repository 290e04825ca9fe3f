"""Preprocessing: the steps of encoder.proto's `Preprocessing`, implemented once for encoder and clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sightline_pictures.padding import Color, Window, resize_padded

ResizeMode = Literal["shortest", "longest", "squash"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
# How many times the crop's pixels may be resized in full.
_MAX_FULL_RESIZE = 16


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes a model's input; the fields are encoder.proto's.

    Attributes:
        resize_mode: Which side becomes `resize_size`; "squash" makes both sides the crop's.
        resize_size: In pixels.
        crop_width: Of the centre crop, in pixels; the model's input.
        crop_height: Of the centre crop, in pixels; the model's input.
        pad_color: If set, the picture is laid in the middle of a square of this colour before it is resized.
        interpolation: Pillow's filter, with antialiasing.
        fill_color: Where the resized picture is smaller than the crop.
    """

    resize_mode: ResizeMode
    resize_size: int
    crop_width: int
    crop_height: int
    pad_color: Color | None = None
    interpolation: Interpolation = "bicubic"
    fill_color: Color = (0, 0, 0)

    def __post_init__(self) -> None:
        """Validate the fields."""
        if self.resize_mode not in ("shortest", "longest", "squash"):
            raise ValueError(f"resize_mode {self.resize_mode!r} is not shortest, longest or squash")
        if self.interpolation not in _FILTERS:
            raise ValueError(f"interpolation {self.interpolation!r} is not one of {', '.join(_FILTERS)}")
        if self.crop_width < 1 or self.crop_height < 1 or (self.resize_mode != "squash" and self.resize_size < 1):
            raise ValueError("resize_size, crop_width and crop_height must be at least 1")

    @property
    def min_side(self) -> int:
        """The `min_side` for `open_picture` that leaves a JPEG at least twice as large as the model needs."""
        return 2 * max(self.resize_size, self.crop_width, self.crop_height)


def preprocess(image: Image.Image, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Return a picture as a model's input.

    The result is that of torchvision's, timm's and open_clip's evaluation transforms on Pillow images (equal, or
    off by one where Pillow rounds a box differently), without doing the work that the crop throws away.

    Args:
        image: Of any mode; others than RGB are converted.
        preprocessing: The model's steps.

    Returns:
        Shape (crop_height, crop_width, 3), uint8, C-contiguous, writable.
    """
    if image.mode != "RGB":
        image = image.convert("RGB")
    method = _FILTERS[preprocessing.interpolation]
    width, height = image.size
    pad_color = preprocessing.pad_color if width != height else None
    if pad_color is not None:
        width = height = max(image.size)
    resized = _resized_size(width, height, preprocessing)
    left, out_left, out_width = _window(resized[0], preprocessing.crop_width)
    top, out_top, out_height = _window(resized[1], preprocessing.crop_height)
    if pad_color is not None:
        columns, rows = Window(resized[0], left, out_width), Window(resized[1], top, out_height)
        cut = resize_padded(image, columns, rows, pad_color, method)
    # Resizing only what the crop keeps saves a fifth. It gives the same pixels where a square gets smaller; elsewhere
    # Pillow may choose the other order of its two passes, or round the box, which it holds in float32.
    elif not width == height >= resized[0] and resized[0] * resized[1] <= _MAX_FULL_RESIZE * out_width * out_height:
        cut = image.resize(resized, method).crop((left, top, left + out_width, top + out_height))
    else:
        scale_x, scale_y = width / resized[0], height / resized[1]
        right, bottom = min((left + out_width) * scale_x, width), min((top + out_height) * scale_y, height)
        cut = image.resize((out_width, out_height), method, (left * scale_x, top * scale_y, right, bottom))
    if (out_width, out_height) == (preprocessing.crop_width, preprocessing.crop_height):
        return np.array(cut)
    canvas = Image.new("RGB", (preprocessing.crop_width, preprocessing.crop_height), preprocessing.fill_color)
    canvas.paste(cut, (out_left, out_top))
    return np.array(canvas)


def _resized_size(width: int, height: int, preprocessing: Preprocessing) -> tuple[int, int]:
    """Return width and height after resizing, rounded as torchvision ("shortest") and timm ("longest") do."""
    size = preprocessing.resize_size
    if preprocessing.resize_mode == "squash":
        return preprocessing.crop_width, preprocessing.crop_height
    if preprocessing.resize_mode == "longest":
        ratio = max(width, height) / size
        return max(1, round(width / ratio)), max(1, round(height / ratio))
    if width <= height:
        return size, int(size * height / width)
    return int(size * width / height), size


def _window(resized: int, crop: int) -> tuple[int, int, int]:
    """Return, along one axis: where the crop starts in the resized picture, where that lies in the crop, its length."""
    if resized >= crop:
        return round((resized - crop) / 2.0), 0, crop
    return 0, (crop - resized) // 2, resized
