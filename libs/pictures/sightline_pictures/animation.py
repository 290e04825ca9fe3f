"""Opens pictures of several frames: the first that shows something is the picture."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from sightline_pictures.source import Loaded, Reader, Source, loaded

_MOST_FRAMES = 100
_MOST_PIXELS = 400_000_000
"""Pixels that are decoded at most in search of a frame that shows something."""
_SAMPLE = 256
_FLAT = 8
"""Two colours that differ by no more look the same."""


def animation_source(reader: Reader) -> Callable[[bytes], Source]:
    """Return what opens files that may have several frames, with one of Pillow's readers."""

    def open_file(data: bytes) -> Source:
        opened = reader(BytesIO(data), "")

        def load(_: int | None) -> Loaded:
            opened.load()
            if not is_blank(opened) or not getattr(opened, "is_animated", False) or _seek_visible(opened):
                return loaded(opened)
            first = reader(BytesIO(data), "")
            first.load()
            return loaded(first)

        return Source(opened.size, load, opened.getexif, info=opened.info)

    return open_file


def _seek_visible(opened: ImageFile) -> bool:
    """Move to the first frame that shows something; return whether there is one."""
    frames = min(_MOST_FRAMES, 1 + _MOST_PIXELS // (opened.width * opened.height))
    try:
        for number in range(1, frames):
            opened.seek(number)
            opened.load()
            if not is_blank(opened):
                return True
    except Exception:
        # There are no more, or they are damaged: the first one is whole.
        return False
    return False


def is_blank(image: Image.Image) -> bool:
    """Return whether a picture is of one colour, or wholly transparent, as far as a sample of its pixels shows."""
    size = (min(_SAMPLE, image.width), min(_SAMPLE, image.height))
    sample = image.resize(size, Image.Resampling.NEAREST)
    if "transparency" in image.info:
        sample.info["transparency"] = image.info["transparency"]
    sample = sample.convert("RGBA")
    canvas = Image.new("RGBA", size, (255, 255, 255, 255))
    canvas.alpha_composite(sample)
    if sample.getchannel("A").getextrema() != (0, 0) and _varies(sample):
        # White on transparent: what is seen of it depends on the ground.
        return False
    return not _varies(canvas)


def _varies(image: Image.Image) -> bool:
    pixels = np.asarray(image).reshape(-1, 4)
    return int(np.ptp(pixels, axis=0).max()) > _FLAT
