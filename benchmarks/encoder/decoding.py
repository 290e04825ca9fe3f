"""Part `decoding`: photographs of 12 megapixels from their JPEG bytes to vectors, step by step.

The photographs are made up: each sample picture enlarged to 4,000 x 3,000 with grain, so that the file is as large as a
camera's. What the encoder does, decoding at a fraction of the size (Pillow's `draft`), is compared with all pixels.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image
from sightline_pictures import Preprocessing, preprocess

from benchmarks.encoder.subjects import EMBEDDED, Loop, openvino
from benchmarks.harness import pictures, results
from benchmarks.harness.pictures import Collection
from benchmarks.harness.timing import timed

SIZE = (4000, 3000)
GRAIN = 6
QUALITY = 90
PHOTOGRAPHS = 8
BATCH = 16
REPEATS = 3


def photograph(data: bytes, seed: int, size: tuple[int, int] = SIZE) -> bytes:
    """Return a picture enlarged to a camera's size as JPEG, with grain, the same every time."""
    large = np.asarray(pictures.opened(data).resize(size, Image.Resampling.BICUBIC), np.int16)
    grain = np.random.default_rng(seed).integers(-GRAIN, GRAIN + 1, (*large.shape[:2], 1), np.int16)
    out = io.BytesIO()
    Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def steps_ms(loop: Loop, data: Sequence[bytes], steps: Preprocessing, *, draft: bool) -> dict[str, float]:
    """Return the median milliseconds a picture of decoding, preprocessing and encoding, one after another."""
    side = steps.min_side if draft else None
    decode, decoded = timed(lambda each: pictures.opened(each, side), list(data) * REPEATS)
    prepare, prepared = timed(lambda image: preprocess(image, steps), decoded)
    batch = np.stack(prepared[:BATCH])
    encode, _ = timed(loop.images, [batch] * (REPEATS + 1))
    found = {"decode": decode, "preprocess": prepare, "encode": encode / len(batch)}
    return {step: float(np.median(milliseconds)) for step, milliseconds in found.items()}


def run(found: Collection) -> dict[str, float]:
    """Measure the embedded model's pictures."""
    figures: dict[str, float] = {}
    loop = openvino(EMBEDDED)
    data = [photograph(each, seed) for seed, each in enumerate(found.some(PHOTOGRAPHS))]
    rows: list[list[object]] = []
    for name, end in (("with draft", ""), ("in full", "_full")):
        spent = steps_ms(loop, data, EMBEDDED.source.preprocessing, draft=not end)
        rows.append([name, *spent.values()])
        figures |= {f"{step}_ms{end}": value for step, value in spent.items()}
    title = "milliseconds a photograph of 12 megapixels, one at a time"
    results.show(["decoded", *spent], rows, title)
    return figures
