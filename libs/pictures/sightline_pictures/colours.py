"""Converts pictures to 8-bit sRGB: bit depth, palette, transparency, ICC profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from sightline_pictures.hdr import HighRange, tone_mapping
from sightline_pictures.ranges import float_range, integer_range

Step = Callable[[Image.Image], Image.Image]

_INTEGERS = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I"})
# A profile of a mode's own colour space is applied in that mode; any other one after conversion, or not at all.
_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
_WHITE = (255, 255, 255)
_GREY = (128, 128, 128)
_FAINT = 48
"""Levels of mean distance from white below which something on white is hard to see."""
_GROUND_SAMPLE = 512
_SAMPLED_VALUES = 1_000_000
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


def srgb_steps(image: Image.Image, icc_profile: bytes | None, coding: HighRange | None = None) -> list[Step]:
    """Return what has to be done with a picture, or with any band of it, to make it 8-bit sRGB on an opaque ground.

    An ICC profile is applied where it is valid. No step is returned for a picture that is sRGB already.

    Args:
        image: Of any mode.
        icc_profile: Of its colours.
        coding: How it is coded where it is of high dynamic range; the profile is not applied then.

    Raises:
        ValueError: The mode cannot be converted.
    """
    steps: list[Step] = []
    mode, info_counts = image.mode, True
    if mode in _INTEGERS or mode == "F":
        steps.append(_to_bytes(image))
        mode, info_counts = "L", False
    if coding is not None and mode in ("RGB", "RGBA"):
        steps.append(tone_mapping(image, coding))
        icc_profile = None
    if info_counts and image.has_transparency_data:
        steps.append(partial(_on_ground, ground=_ground(image)))
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


def _to_bytes(image: Image.Image) -> Step:
    """Scale integers of 16 or 32 bits, or floating point numbers, to 8 bits; Pillow's own conversion clips at 255."""
    step = max(1, image.width * image.height // _SAMPLED_VALUES)
    sampled = np.concatenate([np.asarray(band).ravel()[::step] for _, band in bands(image)])
    used = float_range(sampled) if image.mode == "F" else integer_range(sampled)
    return lambda band: Image.fromarray(used.to_bytes(np.asarray(band)))


def _rgba(image: Image.Image) -> Image.Image:
    if image.mode == "La":
        image = image.convert("LA")
    return image if image.mode in ("RGBA", "LA") else image.convert("RGBA")


def _ground(image: Image.Image) -> tuple[int, int, int]:
    """Return the colour that transparency is laid on: white, or grey where white would hide what there is.

    Chosen by a sample of the whole picture, so that thumbnail and vector show the same.
    """
    size = (min(_GROUND_SAMPLE, image.width), min(_GROUND_SAMPLE, image.height))
    sample = image.resize(size, Image.Resampling.NEAREST)
    if "transparency" in image.info:
        sample.info["transparency"] = image.info["transparency"]
    pixels = np.asarray(_rgba(sample).convert("RGBA")).reshape(-1, 4).astype(np.float32)
    weight = pixels[:, 3].sum()
    if not weight:
        return _WHITE
    on_white, on_grey = (
        float((np.abs(pixels[:, :3] - ground[0]).max(axis=1) * pixels[:, 3]).sum() / weight)
        for ground in (_WHITE, _GREY)
    )
    return _WHITE if on_white >= _FAINT or on_white >= on_grey else _GREY


def _on_ground(image: Image.Image, ground: tuple[int, int, int]) -> Image.Image:
    image = _rgba(image)
    alpha = image.getchannel("A")
    opaque = image.convert("RGB")
    if alpha.getextrema() == (255, 255):
        return opaque
    canvas = Image.new("RGB", image.size, ground)
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
