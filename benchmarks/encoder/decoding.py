"""Part `decoding`: photographs of 12 megapixels from their JPEG bytes to vectors.

The photographs are made up: each sample picture enlarged to 4,000 x 3,000 with grain, so that the file is as large as a
camera's. First the milliseconds of each step for one picture; then pictures a second, decoded in a pool and encoded
in batches. What the encoder does, threads that decode at a fraction of the size (Pillow's `draft`), is compared with
threads that decode all pixels and with processes that do either. They take turns.
"""

from __future__ import annotations

import io
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from statistics import median

import numpy as np
from PIL import Image
from sightline_pictures import PictureSettings, Preprocessing, open_picture, preprocess

from benchmarks import report
from benchmarks.collection import Collection
from benchmarks.encoder import runtimes, subjects, turns
from benchmarks.encoder.outcome import Outcome
from benchmarks.encoder.subjects import Pixels

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
    random = np.random.default_rng(seed)
    limits = PictureSettings()
    picture = open_picture(data, max_bytes=limits.max_bytes, max_pixels=limits.max_pixels).image
    large = np.asarray(picture.resize(size, Image.Resampling.BICUBIC), np.int16)
    grain = random.integers(-GRAIN, GRAIN + 1, (*large.shape[:2], 1), np.int16)
    out = io.BytesIO()
    Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def decode(data: bytes, steps: Preprocessing, *, draft: bool) -> Image.Image:
    """Return the picture as the encoder decodes it, or in full."""
    limits = PictureSettings()
    side = steps.min_side if draft else None
    return open_picture(data, max_bytes=limits.max_bytes, max_pixels=limits.max_pixels, min_side=side).image


def prepare(data: bytes, steps: Preprocessing, draft: bool) -> Pixels:
    """Return a picture at the model's input; a function that a process pool can be given."""
    return preprocess(decode(data, steps, draft=draft), steps)


def ahead(pool: Executor, work: Callable[[bytes], Pixels], data: Sequence[bytes]) -> Iterator[Pixels]:
    """Yield the prepared pictures in order, the pool always some batches ahead."""
    waiting = [pool.submit(work, each) for each in data[: 3 * BATCH]]
    for place in range(len(data)):
        yield waiting.pop(0).result()
        if place + 3 * BATCH < len(data):
            waiting.append(pool.submit(work, data[place + 3 * BATCH]))


def encode_all(loop: runtimes.Loop, prepared: Iterator[Pixels]) -> int:
    """Encode pictures in batches as they come; return how many."""
    done, ready = 0, []
    for pixels in prepared:
        ready.append(pixels)
        if len(ready) == BATCH:
            done += len(loop.images(np.stack(ready)))
            ready = []
    return done + (len(loop.images(np.stack(ready))) if ready else 0)


def steps_ms(loop: runtimes.Loop, data: Sequence[bytes], steps: Preprocessing, *, draft: bool) -> dict[str, float]:
    """Return the median milliseconds a picture of decoding, preprocessing and encoding, one after another."""
    found: dict[str, list[float]] = {"decode": [], "preprocess": [], "encode": []}
    prepared = []
    for each in list(data) * STEP_REPEATS:
        began = time.perf_counter()
        image = decode(each, steps, draft=draft)
        decoded = time.perf_counter()
        prepared.append(preprocess(image, steps))
        found["decode"].append(decoded - began)
        found["preprocess"].append(time.perf_counter() - decoded)
    for _ in range(STEP_REPEATS + 1):
        began = time.perf_counter()
        loop.images(np.stack(prepared[:BATCH]))
        found["encode"].append((time.perf_counter() - began) / len(prepared[:BATCH]))
    return {step: 1000 * median(seconds) for step, seconds in found.items()}


def run(pictures: Collection) -> Outcome:
    """Measure the embedded model's pictures."""
    outcome = Outcome()
    subject = subjects.embedded()
    steps = subject.source.preprocessing
    loop = runtimes.openvino(subject)
    data = [photograph(each, seed) for seed, each in enumerate(subjects.files(pictures, PHOTOGRAPHS))]
    print(f"{len(data)} photographs, {sum(map(len, data)) / len(data) / 1e6:.1f} MB each", file=sys.stderr)
    rows: list[list[object]] = []
    for draft in (True, False):
        spent = steps_ms(loop, data, steps, draft=draft)
        rows.append(["with draft" if draft else "in full", *spent.values()])
        outcome.figures |= {f"{step}_ms{'' if draft else '_full'}": value for step, value in spent.items()}
    print("milliseconds a photograph of 12 megapixels, one at a time")
    print(report.table(["decoded", "decode", "preprocess", "encode"], rows), end="\n\n")
    workers = subjects.settings().picture_threads
    with ExitStack() as stack:
        context = multiprocessing.get_context("spawn")
        pools: dict[str, Executor] = {
            "threads": stack.enter_context(ThreadPoolExecutor(workers)),
            "processes": stack.enter_context(ProcessPoolExecutor(workers, mp_context=context)),
        }
        entries = {}
        for name, pool in pools.items():
            for draft, count in COUNTS.items():
                work = partial(prepare, steps=steps, draft=draft)
                batch = (data * (count // len(data) + 1))[:count]
                # The first pictures start the processes.
                encode_all(loop, ahead(pool, work, data))
                entries[f"{name}, {'with draft' if draft else 'in full'}"] = turns.rate(
                    partial(_through, loop, pool, work, batch)
                )
        found = turns.take(entries, ROUNDS)
    baseline = "threads, with draft"
    print(f"photographs a second, decoded by {workers} at a time and encoded in batches of {BATCH}")
    shown = [[name, median(rates), turns.ratio(found, name, baseline)] for name, rates in found.items()]
    print(report.table(["decoded", "photographs/s", "times"], shown), end="\n\n")
    for name, rates in found.items():
        key = name.replace(", with draft", "").replace(", in full", "_full")
        outcome.figures[f"photographs_per_second_{key}"] = median(rates)
    outcome.details = {"turns": found, "mean_bytes": sum(map(len, data)) / len(data), "size": list(SIZE)}
    return outcome


def _through(loop: runtimes.Loop, pool: Executor, work: Callable[[bytes], Pixels], data: Sequence[bytes]) -> int:
    return encode_all(loop, ahead(pool, work, data))
