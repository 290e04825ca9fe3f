"""Makes decoded pictures smaller, a band of rows at a time: all that follows is then cheaper."""

from __future__ import annotations

import math

from PIL import Image

from sightline_pictures.colours import Step, bands

_REDUCIBLE = frozenset({"RGB", "L", "RGBA", "LA", "CMYK", "YCbCr"})


def reduction_factor(image: Image.Image, min_side: int, copies: int, room: int) -> int:
    """Return by how much a decoded picture is reduced: all that follows is then cheaper.

    Args:
        image: As decoded; a JPEG perhaps at a fraction of its size already.
        min_side: As for `open_picture`.
        copies: How often it is copied.
        room: Bytes that copies may take.
    """
    pixels = image.width * image.height
    # 1.5 times the pixels that a JPEG keeps: averaging is a rougher filter than its transform, as fine lines show.
    factor = int(min(image.size) / (1.5 * min_side)) if _is_reducible(image) else 1
    if factor <= 1 and 4 * pixels * copies <= room:
        return 1
    # Two copies at a time, of four bytes a pixel.
    return max(factor, 2, math.ceil(math.sqrt(8 * pixels / room)))


def _is_reducible(image: Image.Image) -> bool:
    """Return whether averaging pixels makes sense before they are converted."""
    return image.mode in _REDUCIBLE and "transparency" not in image.info


def convert(image: Image.Image, steps: list[Step], factor: int) -> Image.Image:
    """Return the picture in mode RGB, blocks of `factor` x `factor` pixels averaged, a band of rows at a time."""
    if not steps:
        return image.reduce(factor) if factor > 1 else image
    converted: Image.Image | None = None
    early = _is_reducible(image)
    size = (-(-image.width // factor), -(-image.height // factor))
    for top, part in bands(image, factor):
        band = part.reduce(factor) if factor > 1 and early else part
        for step in steps:
            band = step(band)
        if factor > 1 and not early:
            band = band.reduce(factor)
        if band.size == size:
            return band
        converted = converted or Image.new("RGB", size)
        converted.paste(band, (0, top // factor))
    assert converted is not None
    return converted


def whole(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a picture that was decoded smaller or reduced without what its last blocks have beyond the edge.

    Uncorrected, the picture would be stretched by up to a pixel, which changes vectors more than the averaging does.

    Args:
        image: The smaller picture.
        size: Width and height of the whole picture, turned as the image is.
    """
    divisor = round(max(size) / max(image.size))
    if divisor == 1 or (size[0] % divisor == 0 and size[1] % divisor == 0):
        return image
    exact = (size[0] / divisor, size[1] / divisor)
    smaller = (max(1, int(exact[0])), max(1, int(exact[1])))
    return image.resize(smaller, Image.Resampling.BICUBIC, (0.0, 0.0, *exact))
