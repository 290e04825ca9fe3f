"""Pictures with as much in them as photographs have, drawn from a seed."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw


def draw_scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Return a picture that no other seed gives."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", size, tuple(random.integers(0, 256, 3).tolist()))
    draw = ImageDraw.Draw(image)
    for number in range(90):
        side = float(random.uniform(0.03, 0.3 if number < 30 else 0.1)) * size[0]
        x, y = (float(random.uniform(0, length)) for length in size)
        colour = tuple(random.integers(0, 256, 3).tolist())
        shape = (draw.ellipse, draw.rectangle)[number % 2]
        shape((x - side / 2, y - side / 3, x + side / 2, y + side / 3), fill=colour)
    return image


def file_of(image: Image.Image, kind: str = "JPEG", *, camera: str = "", taken_at: str = "", **options: int) -> bytes:
    """Return a picture's file; `taken_at` is as EXIF has it, such as `2024:05:31 18:00:00`."""
    exif = Image.Exif()
    if camera:
        exif[272] = camera
    if taken_at:
        exif.get_ifd(0x8769)[36867] = taken_at
    out = BytesIO()
    image.save(out, kind, exif=exif.tobytes(), **options)
    return out.getvalue()
