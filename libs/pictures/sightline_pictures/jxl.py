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
_PACKED = b"brob"
"""The box of metadata that are compressed."""


def open_jxl(data: bytes) -> Source:
    """Open a JPEG XL; of an animation, its first frame.

    Raises:
        PictureError: The library is not installed.
        RuntimeError: It is damaged.
    """
    if find_spec("pylibjxl") is None:
        raise PictureError("JPEG XL is not read on this computer: there is no pylibjxl for it")
    header = _decoder().probe(data)
    info: dict[str, bytes] = {}

    def load(_: int | None) -> Loaded:
        pixels, found = _decoder().decode(data, metadata=True)
        # The box begins with where the TIFF in it begins.
        block = found.get("exif", b"")
        starts = [at for order in (b"II*\0", b"MM\0*") if (at := block.find(order, 0, 64)) >= 0]
        if starts:
            info["exif"] = block[min(starts) :]
        if "xmp" in found:
            info["xmp"] = found["xmp"]
        # One channel beside grey, or three beside colours, is transparency.
        mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[1 if pixels.ndim == 2 else pixels.shape[2]]
        image = Image.fromarray(pixels.squeeze(2) if mode == "L" and pixels.ndim == 3 else pixels, mode)
        return Loaded(image, image.size, found.get("icc"))

    def exif() -> Image.Exif:
        return exif_of(info["exif"]) if "exif" in info else Image.Exif()

    # The decoder turns the picture itself, whatever EXIF says.
    return Source(
        (header["width"], header["height"]), load, exif, turn=1, cost=_COST, info=info, is_info_packed=_PACKED in data
    )


@cache
def _decoder() -> pylibjxl.JXL:
    import pylibjxl

    return pylibjxl.JXL(threads=1, pool_size=2)
