"""An opened file: its size is known, its pixels are not decoded yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.ImageFile import ImageFile

Reader = Callable[[BytesIO, str], ImageFile]
"""A reader of Pillow's. The class itself is called, not `PIL.Image.open`: that would measure every file against its
global `MAX_IMAGE_PIXELS` and warn or raise by it, where the limit here is the caller's."""


@dataclass(frozen=True)
class Loaded:
    """Decoded pixels.

    Attributes:
        image: Of any mode, perhaps at a fraction of the size.
        size: Width and height of what the image is a whole fraction of, turned as it is.
        icc_profile: The profile of the image's colours.
        shown_size: Width and height that the picture is said to have, if others.
    """

    image: Image.Image
    size: tuple[int, int]
    icc_profile: bytes | None = None
    shown_size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Source:
    """An opened file.

    Attributes:
        size: Width and height as stored.
        load: Decodes it. Its argument is `open_picture`'s `min_side`.
        exif: Returns its EXIF.
        turn: The EXIF orientation that its image has; None where its EXIF says it.
        cost: How many times as much memory a pixel takes as in other formats: it may have so many fewer pixels.
        format: The name of its format, where its first bytes are those of another one.
        info: What is known of its metadata, as `read_embedded` takes it.
        is_info_packed: Whether `info` is known only when it has been loaded.
    """

    size: tuple[int, int]
    load: Callable[[int | None], Loaded]
    exif: Callable[[], Image.Exif]
    turn: int | None = None
    cost: int = 1
    format: str | None = None
    info: Mapping[Any, Any] = field(default_factory=dict)
    is_info_packed: bool = False


def loaded(opened: ImageFile, size: tuple[int, int] | None = None) -> Loaded:
    """Return a file of Pillow's that has been loaded."""
    profile = opened.info.get("icc_profile")
    return Loaded(opened, size or opened.size, profile if isinstance(profile, bytes) else None)


def pillow_source(reader: Reader) -> Callable[[bytes], Source]:
    """Return what opens files with one of Pillow's readers."""

    def open_file(data: bytes) -> Source:
        opened = reader(BytesIO(data), "")

        def load(_: int | None) -> Loaded:
            opened.load()
            return loaded(opened)

        return Source(opened.size, load, opened.getexif, info=opened.info)

    return open_file


def exif_of(data: bytes) -> Image.Exif:
    """Return the EXIF of a TIFF, or of a block of EXIF."""
    exif = Image.Exif()
    exif.load(data)
    return exif
