"""Pictures made on the spot, in every format."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image

SAVED_AS = {"JPEG": "JPEG", "PNG": "PNG", "WebP": "WEBP", "GIF": "GIF", "BMP": "BMP", "TIFF": "TIFF", "AVIF": "AVIF"}


def encode(image: Image.Image, format: str, **options: object) -> bytes:
    """Return a file's bytes."""
    out = BytesIO()
    if format == "HEIC":
        pillow_heif.from_pillow(image).save(out, quality=80, **options)
    else:
        image.save(out, SAVED_AS[format], **options)
    return out.getvalue()


@pytest.fixture(scope="session")
def file_of() -> Callable[..., bytes]:
    """The function that makes a file's bytes of an image."""
    return encode


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """A colourful picture of 320 x 240 with detail and smooth parts, its left half redder than its right."""
    rng = np.random.default_rng(7)
    coarse = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    pixels = np.asarray(coarse.resize((320, 240), Image.Resampling.BICUBIC)).astype(int)
    pixels[:, :160, 0] += 120
    pixels[:, 160:, 2] += 120
    pixels += rng.integers(-8, 8, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="session")
def every_format(photo: Image.Image) -> dict[str, bytes]:
    """One file of each format."""
    return {name: encode(photo, name) for name in (*SAVED_AS, "HEIC")}
