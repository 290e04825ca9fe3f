"""Opens Photoshop's files: the flat picture that they hold beside their layers."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
from PIL import Image
from PIL.PsdImagePlugin import PsdImageFile

from sightline_pictures.errors import PictureError
from sightline_pictures.ranges import ValueRange
from sightline_pictures.source import Loaded, Source

_VERSION_INFO = 1057
_EXIF = 1058
_COST = 3
_DEEP = {16: ">u2", 32: ">f4"}


def open_psd(data: bytes) -> Source:
    """Open a Photoshop file.

    Raises:
        PictureError: It was saved without its flat picture.
    """
    width, bits = struct.unpack_from(">I", data, 18)[0], struct.unpack_from(">H", data, 22)[0]
    deep = _DEEP.get(bits)
    # Samples of more bytes are read as so many times as many of one byte: Pillow reads no others.
    factor = np.dtype(deep).itemsize if deep else 1
    if deep:
        data = data[:18] + struct.pack(">IH", width * factor, 8) + data[24:]
    opened = PsdImageFile(BytesIO(data), "")
    for number, _, body in opened.resources:
        if number == _VERSION_INFO and len(body) >= 5 and body[4] == 0:
            raise PictureError("a Photoshop file without its flat picture: save it with maximum compatibility")
    size = (width, opened.height)
    profile = opened.info.get("icc_profile")

    def load(_: int | None) -> Loaded:
        opened.load()
        image: Image.Image = opened
        if deep:
            image = _from_bytes(opened, deep)
        if image.mode == "RGBA" and not _has_transparency(opened, data):
            image = image.convert("RGB")
        return Loaded(image, size, profile if isinstance(profile, bytes) else None)

    resources = {number: body for number, _, body in opened.resources}
    info = {"exif": resources.get(_EXIF), "photoshop": resources}
    return Source(size, load, opened.getexif, cost=_COST if deep else 1, info=info)


def _from_bytes(image: Image.Image, kind: str) -> Image.Image:
    """Return 8-bit pixels of an image whose neighbouring samples are the bytes of one."""
    pixels = np.asarray(image)
    size = np.dtype(kind).itemsize
    if size == 2:
        return Image.fromarray(np.ascontiguousarray(pixels[:, ::2]), image.mode)
    shape = (pixels.shape[0], -1, size, *pixels.shape[2:])
    values = np.ascontiguousarray(np.moveaxis(pixels.reshape(shape), 2, -1)).view(kind)[..., 0]
    return Image.fromarray(ValueRange(0.0, 1.0).to_bytes(np.clip(values, 0, 1) ** (1 / 2.2)), image.mode)


def _has_transparency(opened: PsdImageFile, data: bytes) -> bool:
    """Return whether the fourth channel is transparency, and no selection that was saved: its layers say so."""
    at = opened._layers_position
    return at is not None and struct.unpack_from(">h", data, at)[0] < 0
