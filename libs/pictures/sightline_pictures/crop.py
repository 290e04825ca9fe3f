"""A rectangle of a picture."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from sightline_pictures.errors import PictureError

LEAST_SIDE = 16
"""Pixels of a crop's side at least: less shows nothing that could be looked for."""


@dataclass(frozen=True)
class Crop:
    """A rectangle of an upright picture: its left, its top, its width and its height, in fractions of the picture's."""

    x: float
    y: float
    width: float
    height: float

    def of(self, image: Image.Image, width: int, height: int) -> Image.Image:
        """Return the rectangle of an image.

        Args:
            image: The picture, perhaps made smaller.
            width: Of the whole picture, in pixels.
            height: Of the whole picture, in pixels.

        Raises:
            PictureError: The rectangle is too small.
        """
        wide, high = round(self.width * width), round(self.height * height)
        if min(wide, high) < LEAST_SIDE:
            raise PictureError(f"the crop has {wide:,} x {high:,} pixels; a side has at least {LEAST_SIDE}")
        left, top = int(self.x * image.width), int(self.y * image.height)
        right = min(image.width, max(left + 1, round((self.x + self.width) * image.width)))
        bottom = min(image.height, max(top + 1, round((self.y + self.height) * image.height)))
        return image.crop((left, top, right, bottom))
