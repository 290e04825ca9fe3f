"""Pictures drawn for the tests."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image


def draw(seed: int, size: tuple[int, int] = (320, 240), format: str = "JPEG") -> bytes:
    """Return a picture that no other seed gives: soft blobs of colour, so that it compresses like a photograph."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    stream = io.BytesIO()
    coarse.resize(size, Image.Resampling.BICUBIC).save(stream, format)
    return stream.getvalue()


def fill(folder: Path, count: int, first_seed: int = 0) -> list[str]:
    """Put drawn pictures into a folder; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"picture-{number:04}.jpg" for number in range(count)]
    for number, name in enumerate(names):
        (folder / name).write_bytes(draw(first_seed + number))
    return names
