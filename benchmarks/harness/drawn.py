"""Small drawn pictures, as many as are wanted, no two of equal bytes."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 16
IN_A_FOLDER = 500


def picture(number: int) -> bytes:
    """Return a PNG that no other number gives."""
    pixels = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(pixels).resize((4 * SIDE, 4 * SIDE)).save(out, "PNG", compress_level=1)
    return out.getvalue()


def fill(folder: Path, count: int, first: int = 0) -> None:
    """Write so many pictures into folders below a folder."""
    for number in range(first, first + count):
        place = folder / f"{number // IN_A_FOLDER:04}" / f"{number:07}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(picture(number))
