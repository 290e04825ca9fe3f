"""Part `loops`: images and texts a second in one process, without a service.

The encoder's own OpenVINO runtime is compared with bare loops over the same prepared inputs: torch in float32, torch
in bfloat16, ONNX Runtime; and, where the processor computes in bfloat16, with OpenVINO held to float32. They take
turns at every batch size; figures are medians. The lowest cosine of OpenVINO's vectors to torch float32's is over the
sample pictures and as many texts.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from benchmarks.encoder.subjects import OPENVINO, OPENVINO_F32, TORCH, Loop, Subject, loops, subjects, texts
from benchmarks.harness import results, timing
from benchmarks.harness.pictures import Collection, Vectors, chunks

BATCHES = (1, 8, 16, 32)
COMPARED_AT = 16
SAMPLES = 192
ROUNDS = 3
ROUNDS_COMPARED = 5
ITEMS = {"images": 32, "texts": 64}
"""At least so many in each turn: in as many batches as that takes."""


def encode_all(encode: Callable[[Any], Vectors], items: Any, batch: int) -> Vectors:
    """Return the vectors of all items, encoded in batches."""
    return np.concatenate([encode(part) for part in chunks(items, batch)])


def lowest_cosine(first: Vectors, second: Vectors) -> float:
    """Return the lowest cosine of rows of unit vectors, one to one."""
    return float((first * second).sum(axis=1).min())


def measure(subject: Subject, kind: str, found: dict[str, Loop], items: Any) -> dict[int, dict[str, list[float]]]:
    """Return for each batch size and runtime its items a second, turn by turn."""
    rates = {}
    for batch in BATCHES:
        count = max(ITEMS[kind] // (4 if batch == 1 else 1), batch)
        entries = {}
        for name, loop in found.items():
            encode = getattr(loop, kind)
            # Shapes that a runtime has not met yet cost more the first time.
            encode(items[:batch])
            entries[name] = timing.rate(partial(_encoded, encode, items[: count // batch * batch], batch))
        rates[batch] = timing.in_turns(entries, ROUNDS_COMPARED if batch == COMPARED_AT else ROUNDS)
        results.say(f"{subject.name}, {kind}, batch {batch}: done")
    return rates


def _encoded(encode: Callable[[Any], Vectors], items: Any, batch: int) -> int:
    return len(encode_all(encode, items, batch))


def run(found: Collection) -> dict[str, float]:
    """Measure both models."""
    figures: dict[str, float] = {}
    with warnings.catch_warnings():
        # Of the export to ONNX; they concern whoever changes the model.
        warnings.simplefilter("ignore")
        for subject in subjects():
            figures |= measured(subject, loops(subject), subject.pixels(found, min(SAMPLES, len(found.keys))))
    return figures


def measured(subject: Subject, found: dict[str, Loop], samples: Any) -> dict[str, float]:
    """Measure and print one model; return its figures."""
    figures: dict[str, float] = {}
    cosines = []
    for kind, items in (("images", samples), ("texts", texts(SAMPLES))):
        rates = measure(subject, kind, found, items)
        compared = rates[COMPARED_AT]
        rows = [
            [name, *(median(rates[batch][name]) for batch in BATCHES), timing.ratio(compared, name, TORCH)]
            for name in found
        ]
        title = f"{subject.name}: {kind} a second by batch size, and how often torch float32's at {COMPARED_AT}"
        results.show(["runtime", *map(str, BATCHES), "times"], rows, title)
        prefix = subject.key if kind == "images" else f"{subject.key}_text"
        figures[f"{prefix}_speedup"] = timing.ratio(compared, OPENVINO, TORCH)
        if OPENVINO_F32 in found:
            figures[f"{prefix}_f32_speedup"] = timing.ratio(compared, OPENVINO_F32, TORCH)
        for name in found:
            figures[f"{subject.key}_{kind}_per_second_{name.lower().replace(' ', '_')}"] = median(compared[name])
        vectors = [encode_all(getattr(found[name], kind), items, 32) for name in (OPENVINO, TORCH)]
        cosines.append(lowest_cosine(*vectors))
    print(f"{subject.name}: lowest cosine of OpenVINO to torch float32, images and texts: {cosines}\n")
    return figures | {f"{subject.key}_cosine": min(cosines)}
