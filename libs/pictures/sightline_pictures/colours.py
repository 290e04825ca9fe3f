"""Converts pictures to 8-bit sRGB: bit depth, palette, transparency, ICC profile."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

_SIXTEEN_BIT = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
# A profile of a mode's own colour space is applied in that mode; any other one after conversion, or not at all.
_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
_WHITE = (255, 255, 255)
# No camera's profile is larger, and applying one would take long.
_LARGEST_PROFILE = 4 * 1024 * 1024


def to_srgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """Return the image in mode RGB: transparency laid on white, ICC profile applied where it is valid.

    Raises:
        ValueError: The mode cannot be converted.
    """
    image = _to_eight_bit(image)
    if image.has_transparency_data:
        image = _on_white(image)
    elif image.mode not in _SPACES:
        image = _lab_to_rgb(image) if image.mode == "LAB" else image.convert("L" if image.mode == "1" else "RGB")
    if icc_profile and len(icc_profile) <= _LARGEST_PROFILE:
        image = _apply_profile(image, icc_profile)
    return image if image.mode == "RGB" else image.convert("RGB")


def _to_eight_bit(image: Image.Image) -> Image.Image:
    """Scale 16-bit, 32-bit and floating point greys to 8 bits; Pillow's own conversion clips them at 255.

    Integers are scaled by the number of bits in use, so that 12 bits of a scanner kept in 16 do not come out
    nearly black. Floats from 0 to 1 are scaled by 255, others stretched between their extremes.
    """
    if image.mode in _SIXTEEN_BIT or image.mode == "I":
        values = np.asarray(image).astype(np.int64).clip(min=0)
        bits = max(8, int(values.max(initial=0)).bit_length())
        return Image.fromarray((values >> (bits - 8)).astype(np.uint8))
    if image.mode == "F":
        floats = np.nan_to_num(np.asarray(image, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        low, high = float(floats.min(initial=0.0)), float(floats.max(initial=0.0))
        if low < 0 or high > 1:
            floats = (floats - low) / max(high - low, np.finfo(np.float64).tiny)
        return Image.fromarray((floats * 255).round().astype(np.uint8))
    return image


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


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB").apply(image)


def _apply_profile(image: Image.Image, icc_profile: bytes) -> Image.Image:
    """Convert from the profile to sRGB. A profile that is damaged or of another colour space is ignored."""
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(icc_profile))
        space = profile.profile.xcolor_space.strip()
        if space != _SPACES[image.mode]:
            if space != "RGB" or image.mode != "L":
                return image
            image = image.convert("RGB")
        if image.mode == "RGB" and "srgb" in (profile.profile.profile_description or "").lower():
            return image
        transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), image.mode, "RGB")
        return transform.apply(image)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError, KeyError):
        return image
