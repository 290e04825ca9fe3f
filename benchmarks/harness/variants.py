"""Copies of a picture as people make them: smaller, cropped, turned, written on and so on."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont, ImageOps

TINT = (1.15, 1.0, 0.75)
Change = Callable[[Image.Image], Image.Image]


def _saved(image: Image.Image, kind: str, quality: int) -> Image.Image:
    out = BytesIO()
    image.save(out, kind, quality=quality)
    return Image.open(out).convert("RGB")


def _resized(image: Image.Image, scale: float, method: Image.Resampling) -> Image.Image:
    return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), method)


def _cropped(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    width, height = image.size
    return image.crop((round(width * left), round(height * top), round(width * right), round(height * bottom)))


def _tinted(image: Image.Image) -> Image.Image:
    channels = zip(image.split(), TINT, strict=True)
    return Image.merge(
        "RGB", [channel.point([min(255, round(v * by)) for v in range(256)]) for channel, by in channels]
    )


def _written_on(image: Image.Image) -> Image.Image:
    image = image.copy()
    size = max(8, image.height // 10)
    font = ImageFont.load_default(size)
    place = (image.width * 0.05, image.height * 0.8)
    stroke = max(1, size // 12)
    ImageDraw.Draw(image).text(place, "A LOVELY DAY OUT", "white", font, stroke_width=stroke, stroke_fill="black")
    return image


def _shot_of_screen(image: Image.Image) -> Image.Image:
    smaller = _resized(image, 0.77, Image.Resampling.BICUBIC)
    return smaller.point([round(255 * (v / 255) ** 0.9) for v in range(256)] * 3)


CHANGES: dict[str, Change] = {
    "jpeg40": lambda image: _saved(image, "JPEG", 40),
    "half": lambda image: _resized(image, 0.5, Image.Resampling.LANCZOS),
    "crop": lambda image: _cropped(image, 0.03, 0.07, 0.93, 0.97),
    "crop_corner": lambda image: _cropped(image, 0, 0, 0.9, 0.9),
    "crop_each_side": lambda image: _cropped(image, 0.1, 0.1, 0.9, 0.9),
    "tint": _tinted,
    "text": _written_on,
    "turn90": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "turn180": lambda image: image.transpose(Image.Transpose.ROTATE_180),
    "turn3": lambda image: image.rotate(3, Image.Resampling.BICUBIC, fillcolor="white"),
    "mirror": ImageOps.mirror,
    "grey": lambda image: image.convert("L").convert("RGB"),
    "border": lambda image: ImageOps.expand(image, round(0.06 * max(image.size)), "white"),
    "black_border": lambda image: ImageOps.expand(image, round(0.06 * max(image.size)), "black"),
    "format": lambda image: _saved(image, "WEBP", 70),
    "screenshot": _shot_of_screen,
}
"""By name: takes a picture, RGB, and returns a changed copy."""
