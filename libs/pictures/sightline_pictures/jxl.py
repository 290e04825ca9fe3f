"""Opens JPEG XL."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from PIL import Image

from sightline_pictures.errors import PictureError
from sightline_pictures.source import Loaded, Source, exif_of

if TYPE_CHECKING:
    import pylibjxl

_COST = 4


def open_jxl(data: bytes) -> Source:
    """Open a JPEG XL; of an animation, its first frame.

    Raises:
        PictureError: The library is not installed.
        RuntimeError: It is damaged.
    """
    if find_spec("pylibjxl") is None:
        raise PictureError("JPEG XL is not read on this computer: there is no pylibjxl for it")
    header = _decoder().probe(data)
    blocks: dict[str, bytes] = {}

    def load(_: int | None) -> Loaded:
        pixels, found = _decoder().decode(data, metadata=True)
        blocks.update(found)
        # One channel beside grey, or three beside colours, is transparency.
        mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[1 if pixels.ndim == 2 else pixels.shape[2]]
        image = Image.fromarray(pixels.squeeze(2) if mode == "L" and pixels.ndim == 3 else pixels, mode)
        return Loaded(image, image.size, found.get("icc"))

    def exif() -> Image.Exif:
        block = blocks.get("exif", b"")
        # The box begins with where the TIFF in it begins.
        start = block.find(b"II*\0", 0, 64), block.find(b"MM\0*", 0, 64)
        return exif_of(block[max(0, *start) :]) if max(start) >= 0 else Image.Exif()

    # The decoder turns the picture itself, whatever EXIF says.
    return Source((header["width"], header["height"]), load, exif, turn=1, cost=_COST)


@cache
def _decoder() -> pylibjxl.JXL:
    import pylibjxl

    return pylibjxl.JXL(threads=1, pool_size=2)
