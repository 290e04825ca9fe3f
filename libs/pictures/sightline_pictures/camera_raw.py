"""Opens cameras' raw files: the preview that the camera put into them, or a fast development."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image
from PIL.ExifTags import IFD, Base

from sightline_pictures import tiff
from sightline_pictures.cost import check_jpeg
from sightline_pictures.errors import PictureError
from sightline_pictures.jpeg import open_jpeg
from sightline_pictures.source import Loaded, Source, exif_of

if TYPE_CHECKING:
    import rawpy

NAME = "camera raw"
_TURNS = {3: 3, 5: 8, 6: 6}
"""EXIF's orientation by LibRaw's."""
_SIDEWAYS = frozenset({5, 6, 7, 8})
_TIFFS = (b"II*\0", b"MM\0*", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")
_MAGICS = (*_TIFFS[2:], b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM", b"IIII", b"MMMM", b"II\x1a\0\0\0HEAPCCDR")


def is_camera_raw(data: bytes) -> bool:
    """Return whether a file's first bytes are those of a raw file that is not a TIFF by its own words."""
    return data.startswith(_MAGICS) or data[4:12] == b"ftypcrx "


def open_camera_raw(data: bytes, otherwise: Callable[[bytes], Source]) -> Source:
    """Open a camera's raw file.

    Args:
        data: The file's bytes.
        otherwise: Opens a picture in the file where LibRaw does not know the camera.

    Raises:
        PictureError: LibRaw does not read it, and there is no picture in it.
    """
    import rawpy

    try:
        raw = rawpy.imread(BytesIO(data))
    except rawpy.LibRawError:
        return otherwise(data)
    sizes = raw.sizes
    preview = _preview(raw)
    turn, flip = _TURNS.get(sizes.flip, 1), 0
    size = (sizes.width, sizes.height)
    if preview is not None and turn in _SIDEWAYS and preview.size[0] < preview.size[1] and size[0] > size[1]:
        # The camera has turned its preview already.
        turn, flip, size = 1, sizes.flip, (size[1], size[0])

    def load(min_side: int | None) -> Loaded:
        enough = min_side if min_side is not None else max(size) // 2
        if preview is not None and (min(preview.size) >= enough or max(preview.size) >= max(size) // 2):
            return _shown(preview, min_side, size)
        try:
            pixels = raw.postprocess(
                half_size=True,
                use_camera_wb=True,
                output_bps=8,
                user_flip=flip,
                demosaic_algorithm=rawpy.DemosaicAlgorithm.LINEAR,
            )
            return Loaded(image := Image.fromarray(pixels), image.size, shown_size=size)
        except (rawpy.LibRawError, rawpy.NotSupportedError) as error:
            if preview is None:
                raise PictureError(
                    "a camera's raw file of a kind that is not developed here, without a preview"
                ) from error
            return _shown(preview, min_side, size)

    return Source(size, load, lambda: _exif(data, preview), turn=turn, format=NAME, info=_info(data, preview))


def _shown(preview: Source, min_side: int | None, size: tuple[int, int]) -> Loaded:
    return replace(preview.load(min_side), shown_size=size)


def _preview(raw: rawpy.RawPy) -> Source | None:
    """Return the largest preview in the file that can be read; None where there is none."""
    import rawpy

    try:
        thumb = raw.extract_thumb()
        if thumb.format == rawpy.ThumbFormat.JPEG:
            data = _bytes(thumb.data)
            check_jpeg(data)
            return open_jpeg(data)
        image = Image.fromarray(thumb.data)  # type: ignore[arg-type]
    except Exception:
        # Whatever is wrong with a preview: the file is developed.
        return None
    return Source(image.size, lambda _: Loaded(image, image.size), Image.Exif)


def _bytes(data: Any) -> bytes:
    return bytes(data)


def _exif(data: bytes, preview: Source | None) -> Image.Exif:
    """Return a raw file's EXIF: that of its own directory, else its preview's."""
    if data[4:12] == b"ftypcrx ":
        exif = exif_of(_block(data, b"CMT1"))
        exif.get_ifd(IFD.Exif).update(exif_of(_block(data, b"CMT2")))
        return exif
    if data.startswith(_TIFFS):
        order = b"II*\0" if data.startswith(b"II") else b"MM\0*"
        exif = exif_of(order + data[4:])
        if exif.get(Base.Make) or exif.get(Base.DateTime):
            return exif
    return preview.exif() if preview is not None else Image.Exif()


def _info(data: bytes, preview: Source | None) -> Mapping[Any, Any]:
    """Return the blocks of EXIF of a raw file that is not a TIFF; those of its preview where it has none."""
    if data[4:12] == b"ftypcrx ":
        # The first directory, that of EXIF and that of the place, each as a TIFF of its own.
        return {"exif": [_block(data, name) for name in (b"CMT1", b"CMT2", b"CMT4")]}
    return preview.info if preview is not None else {}


def _block(data: bytes, name: bytes) -> bytes:
    at = data.find(name, 0, 65536)
    return data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at], "big")] if at >= 4 else b""


def picture_in(data: bytes) -> tiff.Page:
    """Return the largest picture in a raw file that is a TIFF.

    Raises:
        PictureError: There is none.
    """
    found = [page for page in tiff.pages(data) if page.pixels and not page.is_sensor]
    if not found:
        raise PictureError("a camera's raw file of a kind that is not read here, without a preview")
    return max(found, key=lambda page: page.pixels)
