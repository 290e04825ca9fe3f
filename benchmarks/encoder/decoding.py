"""Part `decoding`: photographs of 12 megapixels from their JPEG bytes to vectors.

The photographs are made up: each sample picture enlarged to 4,000 x 3,000 with grain, so that the file is as large as a
camera's. First the milliseconds of each step for one picture; then pictures a second, decoded in a pool and encoded
in batches. What the encoder does, threads that decode at a fraction of the size (Pillow's `draft`), is compared with
threads that decode all pixels and with processes that do either. They take turns.
"""

from __future__ import annotations

import io
import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from statistics import median

import numpy as np
from PIL import Image
from sightline_pictures import Preprocessing, preprocess

from benchmarks.encoder.subjects import EMBEDDED, Loop, openvino, settings
from benchmarks.harness import pictures, results, timing
from benchmarks.harness.pictures import Collection, Pixels, ahead
from benchmarks.harness.timing import timed

SIZE = (4000, 3000)
GRAIN = 6
QUALITY = 90
PHOTOGRAPHS = 8
BATCH = 16
ROUNDS = 3
STEP_REPEATS = 3
COUNTS = {True: 96, False: 32}
"""Pictures in a turn, with and without draft."""


def photograph(data: bytes, seed: int, size: tuple[int, int] = SIZE) -> bytes:
    """Return a picture enlarged to a camera's size as JPEG, with grain, the same every time."""
    large = np.asarray(pictures.opened(data).resize(size, Image.Resampling.BICUBIC), np.int16)
    grain = np.random.default_rng(seed).integers(-GRAIN, GRAIN + 1, (*large.shape[:2], 1), np.int16)
    out = io.BytesIO()
    Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def encode_all(loop: Loop, prepared: Iterable[Pixels]) -> int:
    """Encode pictures in batches as they come; return how many."""
    done, ready = 0, []
    for pixels in prepared:
        ready.append(pixels)
        if len(ready) == BATCH:
            done += len(loop.images(np.stack(ready)))
            ready = []
    return done + (len(loop.images(np.stack(ready))) if ready else 0)


def steps_ms(loop: Loop, data: Sequence[bytes], steps: Preprocessing, *, draft: bool) -> dict[str, float]:
    """Return the median milliseconds a picture of decoding, preprocessing and encoding, one after another."""
    side = steps.min_side if draft else None
    decode, decoded = timed(lambda each: pictures.opened(each, side), list(data) * STEP_REPEATS)
    prepare, prepared = timed(lambda image: preprocess(image, steps), decoded)
    batch = np.stack(prepared[:BATCH])
    encode, _ = timed(loop.images, [batch] * (STEP_REPEATS + 1))
    found = {"decode": decode, "preprocess": prepare, "encode": encode / len(batch)}
    return {step: float(np.median(milliseconds)) for step, milliseconds in found.items()}


def run(found: Collection) -> dict[str, float]:
    """Measure the embedded model's pictures."""
    figures: dict[str, float] = {}
    steps = EMBEDDED.source.preprocessing
    loop = openvino(EMBEDDED)
    data = [photograph(each, seed) for seed, each in enumerate(found.some(PHOTOGRAPHS))]
    rows: list[list[object]] = []
    for draft in (True, False):
        spent = steps_ms(loop, data, steps, draft=draft)
        rows.append(["with draft" if draft else "in full", *spent.values()])
        figures |= {f"{step}_ms{'' if draft else '_full'}": value for step, value in spent.items()}
    title = "milliseconds a photograph of 12 megapixels, one at a time"
    results.show(["decoded", "decode", "preprocess", "encode"], rows, title)
    workers = settings().picture_threads

    def through(pool: Executor, work: Callable[[bytes], Pixels], batch: Sequence[bytes]) -> int:
        return encode_all(loop, ahead(pool, work, batch, 3 * BATCH))

    with ExitStack() as stack:
        context = multiprocessing.get_context("spawn")
        pools: dict[str, Executor] = {
            "threads": stack.enter_context(ThreadPoolExecutor(workers)),
            "processes": stack.enter_context(ProcessPoolExecutor(workers, mp_context=context)),
        }
        entries = {}
        for name, pool in pools.items():
            for draft, count in COUNTS.items():
                work = partial(pictures.prepare, steps=steps, draft=draft)
                # The first pictures start the processes.
                through(pool, work, data)
                batch = (data * (count // len(data) + 1))[:count]
                entries[f"{name}{'' if draft else '_full'}"] = timing.rate(partial(through, pool, work, batch))
        turns = timing.in_turns(entries, ROUNDS)
    rows = [[name, median(rates), timing.ratio(turns, name, "threads")] for name, rates in turns.items()]
    title = f"photographs a second, decoded by {workers} at a time and encoded in batches of {BATCH}"
    results.show(["decoded", "photographs/s", "times"], rows, title)
    return figures | {f"photographs_per_second_{name}": median(rates) for name, rates in turns.items()}
