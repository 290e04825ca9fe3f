"""Reads the metadata inside a picture's file."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeGuard

from sightline_pictures.containers import PNG_SIGNATURE, boxes
from sightline_pictures.metadata.exif import read_exif
from sightline_pictures.metadata.ifd import LONGEST_VALUE, Directory
from sightline_pictures.metadata.iptc import read_iptc
from sightline_pictures.metadata.png import read_png
from sightline_pictures.metadata.values import Tags, merged
from sightline_pictures.metadata.xmp import LARGEST_PACKET, packet_in, read_xmp

_JXL = b"\0\0\0\x0cJXL \r\n\x87\n"
_IPTC_RESOURCE = 0x0404
_XMP_TAG, _IPTC_TAG = 700, 33723
# JPEG, PNG, WebP, HEIC and AVIF: Pillow's `info` has the XMP if there is any.
_KNOWN_TO_PILLOW = (b"\xff\xd8", PNG_SIGNATURE, b"RIFF")


def read_embedded(data: bytes, info: Mapping[Any, Any]) -> Tags:
    """Return what a picture's file says about it, EXIF before XMP before IPTC. It raises nothing.

    Args:
        data: The whole file.
        info: Pillow's `info` of it: `exif`, one block or several, `xmp`, and `photoshop`, its resources by number.
    """
    sources: list[Tags] = []
    if data.startswith(PNG_SIGNATURE):
        sources += read_png(data)
    xmp, iptc = info.get("xmp"), _resource(info.get("photoshop"))
    exif = info.get("exif")
    blocks = exif if isinstance(exif, list) else [exif]
    if data.startswith(_JXL):
        held = _boxes(data)
        # The box begins with where the TIFF in it begins.
        blocks, xmp = [held.get(b"Exif", b"")[4:] or exif], held.get(b"xml ") or xmp
    elif data[:2] in (b"II", b"MM"):
        blocks, xmp, iptc = (
            [data, *blocks],
            xmp or _tiff_value(data, _XMP_TAG, LARGEST_PACKET),
            _tiff_value(data, _IPTC_TAG),
        )
    elif not xmp and not data.startswith(_KNOWN_TO_PILLOW) and data[4:8] != b"ftyp":
        xmp = packet_in(data)
    if isinstance(xmp, str):
        xmp = xmp.encode("utf-8", "replace")
    sources += [read_exif(block) for block in blocks if _is(block)]
    sources += [read(value) for read, value in ((read_xmp, xmp), (read_iptc, iptc)) if _is(value)]
    return merged(sources)


def _is(value: object) -> TypeGuard[bytes]:
    return isinstance(value, bytes) and bool(value)


def _boxes(data: bytes) -> dict[bytes, bytes]:
    """Return the boxes of a file of JPEG XL that hold metadata; of two of a kind the first."""
    found: dict[bytes, bytes] = {}
    with suppress(struct.error):
        for box in boxes(data):
            if box.name in (b"Exif", b"xml "):
                found.setdefault(box.name, data[box.body : min(box.end, box.body + LARGEST_PACKET)])
    return found


def _resource(resources: object) -> bytes:
    found = resources.get(_IPTC_RESOURCE) if isinstance(resources, dict) else None
    return found if isinstance(found, bytes) else b""


def _tiff_value(data: bytes, tag: int, longest: int = LONGEST_VALUE) -> bytes:
    try:
        return Directory(data).bytes(tag, longest)
    except struct.error:
        return b""
