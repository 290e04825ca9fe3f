"""Converts pictures to 8-bit sRGB: bit depth, palette, transparency, ICC profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

Step = Callable[[Image.Image], Image.Image]

_SIXTEEN_BIT = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
# A profile of a mode's own colour space is applied in that mode; any other one after conversion, or not at all.
_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
_WHITE = (255, 255, 255)
# No camera's profile is larger, and applying one would take long.
_LARGEST_PROFILE = 4 * 1024 * 1024
_BAND_PIXELS = 1_000_000


def bands(image: Image.Image, multiple: int = 1) -> Iterator[tuple[int, Image.Image]]:
    """Yield the picture in bands of rows, each with its first row; one that is small is one band.

    What is done band by band needs no second copy of a large picture.

    Args:
        image: Of any mode.
        multiple: Of which every band's height is one, the last perhaps not.
    """
    rows = max(1, _BAND_PIXELS // image.width // multiple) * multiple
    if rows >= image.height:
        yield 0, image
        return
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def srgb_steps(image: Image.Image, icc_profile: bytes | None) -> list[Step]:
    """Return what has to be done with a picture, or with any band of it, to make it 8-bit sRGB on white.

    An ICC profile is applied where it is valid. No step is returned for a picture that is sRGB already.

    Raises:
        ValueError: The mode cannot be converted.
    """
    steps: list[Step] = []
    mode, info_counts = image.mode, True
    if mode in _SIXTEEN_BIT or mode == "I":
        steps.append(_integers_to_bytes(image))
        mode, info_counts = "L", False
    elif mode == "F":
        steps.append(_floats_to_bytes(image))
        mode, info_counts = "L", False
    if info_counts and image.has_transparency_data:
        steps.append(_on_white)
        mode = "RGB"
    elif mode not in _SPACES:
        target = "L" if mode == "1" else "RGB"
        steps.append(_lab_to_rgb() if mode == "LAB" else lambda band: band.convert(target))
        mode = target
    if icc_profile and len(icc_profile) <= _LARGEST_PROFILE:
        profile_steps, mode = _profile_steps(icc_profile, mode)
        steps += profile_steps
    if mode != "RGB":
        steps.append(lambda band: band.convert("RGB"))
    return steps


def _integers_to_bytes(image: Image.Image) -> Step:
    """Scale 16-bit and 32-bit greys to 8 bits; Pillow's own conversion clips them at 255.

    They are scaled by the number of bits in use, so that 12 bits of a scanner kept in 16 do not come out nearly black.
    """
    most = max(int(np.asarray(band).max(initial=0)) for _, band in bands(image))
    shift = max(8, most.bit_length()) - 8

    def scale(band: Image.Image) -> Image.Image:
        return Image.fromarray((np.asarray(band).clip(min=0) >> shift).astype(np.uint8))

    return scale


def _floats_to_bytes(image: Image.Image) -> Step:
    """Scale floating point greys to 8 bits: from 0 to 1 by 255, others stretched between their extremes."""
    extremes = [(values.min(initial=0.0), values.max(initial=0.0)) for values in map(_finite, bands(image))]
    low, high = float(min(low for low, _ in extremes)), float(max(high for _, high in extremes))

    def scale(band: Image.Image) -> Image.Image:
        floats = _finite((0, band))
        if low < 0 or high > 1:
            floats = (floats - low) / max(high - low, np.finfo(np.float64).tiny)
        return Image.fromarray((floats * 255).round().astype(np.uint8))

    return scale


def _finite(band: tuple[int, Image.Image]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.nan_to_num(np.asarray(band[1], dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("RGBA", "LA"):
        image = image.convert("RGBA")
    alpha = image.getchannel("A")
    opaque = image.convert("RGB")
    if alpha.getextrema() == (255, 255):
        return opaque
    canvas = Image.new("RGB", image.size, _WHITE)
    canvas.paste(opaque, mask=alpha)
    return canvas


def _lab_to_rgb() -> Step:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB").apply


def _profile_steps(icc_profile: bytes, mode: str) -> tuple[list[Step], str]:
    """Return what converts from the profile to sRGB, and the mode after it.

    A profile that is damaged or of another colour space is ignored.
    """
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(icc_profile))
        steps: list[Step] = []
        space, used = profile.profile.xcolor_space.strip(), mode
        if space != _SPACES[mode]:
            if space != "RGB" or mode != "L":
                return [], mode
            steps, used = [lambda band: band.convert("RGB")], "RGB"
        if used == "RGB" and "srgb" in (profile.profile.profile_description or "").lower():
            return [], mode
        transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), used, "RGB")
        # Of one pixel: a profile that cannot be applied shows it here.
        transform.apply(Image.new(used, (1, 1)))
        return [*steps, transform.apply], "RGB"
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError, KeyError):
        return [], mode
