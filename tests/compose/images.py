"""Pictures for the tests."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image


def photograph(name: str) -> bytes:
    """Return one of the two photographs that scikit-learn brings, flower.jpg or china.jpg, as JPEG."""
    stream = io.BytesIO()
    Image.fromarray(np.asarray(load_sample_image(name))).save(stream, "JPEG", quality=92)
    return stream.getvalue()


def drawn(seed: int) -> bytes:
    """Return a picture that no other seed gives."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    stream = io.BytesIO()
    coarse.resize((320, 240), Image.Resampling.BICUBIC).save(stream, "JPEG")
    return stream.getvalue()
