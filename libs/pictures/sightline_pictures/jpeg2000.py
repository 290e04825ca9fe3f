"""Opens JPEG 2000, at a fraction of its size where that is enough: it is stored as a small picture and its details."""

from __future__ import annotations

from io import BytesIO

from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from sightline_pictures.source import Loaded, Source, loaded

_COST = 3
_CODING_STYLE = b"\xff\x52"


def open_jpeg2000(data: bytes) -> Source:
    """Open a JPEG 2000: a JP2 file, or a codestream alone."""
    opened = Jpeg2KImageFile(BytesIO(data), "")
    size = opened.size

    def load(min_side: int | None) -> Loaded:
        if min_side is not None:
            opened.reduce = _reductions(min(size), min_side, _levels(data))
        opened.load()
        # Pillow's property hides the method of that name as long as it is set.
        opened.reduce = 0
        return loaded(opened, size)

    return Source(size, load, opened.getexif, cost=_COST, info=opened.info)


def _levels(data: bytes) -> int:
    """Return how often the picture may be halved, by its coding style; 0 where that is not found."""
    start = data.find(b"\xff\x4f\xff\x51")
    at = data.find(_CODING_STYLE, start, start + 65536) if start >= 0 else -1
    return data[at + 9] if 0 <= at < len(data) - 9 and data[at + 9] <= 32 else 0


def _reductions(side: int, min_side: int, levels: int) -> int:
    halvings = 0
    while halvings < levels and side >> (halvings + 1) >= 2 * min_side:
        halvings += 1
    return halvings
