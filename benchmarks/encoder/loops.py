"""Part `loops`: images and texts a second in one process, without a service.

The encoder's own OpenVINO runtime is compared with bare loops over the same prepared inputs: torch in float32, torch
in bfloat16, ONNX Runtime; and, where the processor computes in bfloat16, with OpenVINO held to float32. They take
turns at every batch size; figures are medians. The lowest cosine of OpenVINO's vectors to torch float32's is over the
sample pictures and as many texts.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.collection import Collection
from benchmarks.encoder import runtimes, subjects, turns
from benchmarks.encoder.outcome import Outcome
from benchmarks.encoder.runtimes import OPENVINO, OPENVINO_F32, TORCH, Loop, Unavailable, Vectors
from benchmarks.encoder.subjects import Subject

BATCHES = (1, 8, 16, 32)
COMPARED_AT = 16
SAMPLES = 192
ROUNDS = 3
ROUNDS_COMPARED = 5
ITEMS = {"images": 32, "texts": 64}
"""At least so many in each turn: in as many batches as that takes."""


def lowest_cosine(first: Vectors, second: Vectors) -> float:
    """Return the lowest cosine of rows of unit vectors, one to one."""
    return float((first * second).sum(axis=1).min())


def loops(subject: Subject) -> tuple[dict[str, Loop], list[str]]:
    """Return the model on every runtime that can run it here, and in a line each why others cannot."""
    makers: dict[str, Callable[[], Loop]] = {OPENVINO: partial(runtimes.openvino, subject)}
    if subject.key == "vit_b_32" and runtimes.computes_in_bf16():
        makers[OPENVINO_F32] = partial(runtimes.openvino, subject, "f32")
    makers |= {
        TORCH: partial(runtimes.torch_loop, subject, bf16=False),
        runtimes.TORCH_BF16: partial(runtimes.torch_loop, subject, bf16=True),
        runtimes.ONNX: partial(runtimes.onnx_loop, subject),
    }
    found, missing = {}, []
    for name, make in makers.items():
        try:
            found[name] = make()
        except Unavailable as error:
            missing.append(f"{subject.name}: {error}")
    return found, missing


def competitor(encode: Callable[[Any], Vectors], items: Any, batch: int) -> Callable[[], float]:
    """Return items a second over all items in batches of one size."""

    def work() -> int:
        for start in range(0, len(items) - batch + 1, batch):
            encode(items[start : start + batch])
        return len(items) // batch * batch

    return turns.rate(work)


def measure(subject: Subject, kind: str, found: dict[str, Loop], items: Any) -> dict[int, dict[str, list[float]]]:
    """Return for each batch size and runtime its items a second, turn by turn."""
    rates = {}
    for batch in BATCHES:
        count = max(ITEMS[kind] // (4 if batch == 1 else 1), batch)
        entries = {name: competitor(getattr(loop, kind), items[:count], batch) for name, loop in found.items()}
        for loop in found.values():
            # Shapes that a runtime has not met yet cost more the first time.
            getattr(loop, kind)(items[:batch])
        rates[batch] = turns.take(entries, ROUNDS_COMPARED if batch == COMPARED_AT else ROUNDS)
        print(f"{subject.name}, {kind}, batch {batch}: done", file=sys.stderr)
    return rates


def run(pictures: Collection) -> Outcome:
    """Measure both models."""
    outcome = Outcome()
    words = subjects.texts(SAMPLES)
    data = subjects.files(pictures, SAMPLES)
    with warnings.catch_warnings():
        # Of the export to ONNX; they concern whoever changes the model.
        warnings.simplefilter("ignore")
        for subject in (subjects.embedded(), subjects.vit_b_32()):
            found, missing = loops(subject)
            print(*missing, sep="\n", end="\n" if missing else "", file=sys.stderr)
            samples = subjects.pixels(data, subject.source.preprocessing, min(SAMPLES, len(data)))
            figures, details = _measured(subject, found, samples, words)
            outcome.figures |= figures
            outcome.details[subject.key] = details | {"missing": missing}
    return outcome


def _measured(
    subject: Subject, found: dict[str, Loop], samples: subjects.Pixels, words: list[str]
) -> tuple[dict[str, float], dict[str, Any]]:
    figures: dict[str, float] = {}
    details: dict[str, Any] = {}
    for kind, items in (("images", samples), ("texts", words)):
        rates = measure(subject, kind, found, items)
        details[kind] = rates
        rows = [
            [name, *(median(rates[batch][name]) for batch in BATCHES), turns.ratio(rates[COMPARED_AT], name, TORCH)]
            for name in found
        ]
        print(f"{subject.name}: {kind} a second by batch size, and how often torch float32's at {COMPARED_AT}")
        print(report.table(["runtime", *map(str, BATCHES), "times"], rows), end="\n\n")
        prefix = subject.key if kind == "images" else f"{subject.key}_text"
        figures[f"{prefix}_speedup"] = turns.ratio(rates[COMPARED_AT], OPENVINO, TORCH)
        if OPENVINO_F32 in found:
            figures[f"{prefix}_f32_speedup"] = turns.ratio(rates[COMPARED_AT], OPENVINO_F32, TORCH)
        for name in found:
            key = name.lower().replace(" ", "_")
            figures[f"{subject.key}_{kind}_per_second_{key}"] = median(rates[COMPARED_AT][name])
    cosines = {
        "images": lowest_cosine(_all(found[OPENVINO].images, samples), _all(found[TORCH].images, samples)),
        "texts": lowest_cosine(_all(found[OPENVINO].texts, words), _all(found[TORCH].texts, words)),
    }
    lowest = min(cosines.values())
    print(f"{subject.name}: lowest cosine of OpenVINO to torch float32 {lowest:.5f} ({cosines})\n")
    figures[f"{subject.key}_cosine"] = lowest
    return figures, details | {"cosines": cosines}


def _all(encode: Callable[[Any], Vectors], items: Any) -> Vectors:
    return np.concatenate([encode(items[start : start + 32]) for start in range(0, len(items), 32)])
