"""Part `latency`: the time of one text at an idle encoder, and while pictures in bulk saturate it.

One client asks for a text, waits a moment, asks for the next. The bulk comes from another process, over one stream of
preprocessed pixels that always has requests waiting, as ingestion does. Idle and busy take turns; percentiles are over
all turns, the ratio is of the two 99th percentiles.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from multiprocessing.synchronize import Event
from typing import Any

import numpy as np
from sightline.encoder.client import EncoderClient, RawPixels

from benchmarks import report
from benchmarks.collection import Collection
from benchmarks.encoder import server, subjects, turns
from benchmarks.encoder.clients import BULK_PICTURES
from benchmarks.encoder.outcome import Outcome
from benchmarks.encoder.subjects import Pixels, Subject

ROUNDS = 4
TEXTS = 250
"""In each turn."""
PAUSE_SECONDS = 0.01
PICTURES = 64


def ask(client: EncoderClient, words: Sequence[str]) -> list[float]:
    """Return the milliseconds of each text, one after another."""
    found = []
    for word in words:
        time.sleep(PAUSE_SECONDS)
        began = time.perf_counter()
        client.encode_texts([word])
        found.append((time.perf_counter() - began) * 1000)
    return found


def saturate(address: str, pixels: Pixels, stopped: Event, encoded: Any) -> None:
    """Send pictures in bulk until stopped, counting them. Runs in a process of its own."""
    raw = [RawPixels(each, preprocessed=True) for each in pixels]
    batches = [raw[start : start + BULK_PICTURES] for start in range(0, len(raw), BULK_PICTURES)]

    def endless() -> Iterator[list[RawPixels]]:
        for batch in cycle(batches):
            if stopped.is_set():
                return
            yield batch

    with EncoderClient(address) as client:
        for answer in client.encode_image_stream(endless()):
            encoded.value += len(answer.results)


@contextmanager
def bulk(address: str, pixels: Pixels) -> Iterator[Any]:
    """Keep the encoder busy until the block ends; gives the number of pictures encoded so far, as `.value`."""
    context = multiprocessing.get_context("spawn")
    stopped, encoded = context.Event(), context.Value("q", 0)
    process = context.Process(target=saturate, args=(address, pixels, stopped, encoded), daemon=True)
    process.start()
    try:
        deadline = time.monotonic() + 60
        # Until the first batches are through, the queue is not full.
        while encoded.value < 2 * BULK_PICTURES:
            if not process.is_alive() or time.monotonic() > deadline:
                raise server.NotServing("the pictures in bulk are not encoded")
            time.sleep(0.05)
        yield encoded
    finally:
        stopped.set()
        process.join(30)
        if process.is_alive():
            process.kill()


def _measure(subject: Subject, data: list[bytes], words: list[str]) -> tuple[dict[str, list[float]], float]:
    pixels = subjects.pixels(data, subject.source.preprocessing, PICTURES)
    found: dict[str, list[float]] = {"idle": [], "under bulk": []}
    pictures, seconds = 0, 0.0
    with server.encoder(subject.model_id) as running, EncoderClient(running.address) as client:
        ask(client, words[:50])
        for turn in range(ROUNDS):
            mine = words[turn * 2 * TEXTS : (turn + 1) * 2 * TEXTS]
            found["idle"] += ask(client, mine[:TEXTS])
            with bulk(running.address, pixels) as encoded:
                before, began = encoded.value, time.perf_counter()
                found["under bulk"] += ask(client, mine[TEXTS:])
                pictures, seconds = pictures + encoded.value - before, seconds + time.perf_counter() - began
            print(f"{subject.name}, turn {turn + 1}: done", file=sys.stderr)
    return found, pictures / seconds


def run(pictures: Collection) -> Outcome:
    """Measure both models."""
    outcome = Outcome()
    data = subjects.files(pictures, PICTURES)
    words = subjects.texts(ROUNDS * 2 * TEXTS)
    rows: list[list[object]] = []
    for subject in (subjects.embedded(), subjects.vit_b_32()):
        found, rate = _measure(subject, data, words)
        suffix = "" if subject.key == "embedded" else f"_{subject.key}"
        ratio = turns.percentile(found["under bulk"], 99) / turns.percentile(found["idle"], 99)
        for state, times in found.items():
            name = state.replace(" ", "_")
            for percent in (50, 99):
                outcome.figures[f"text_p{percent}_ms_{name}{suffix}"] = turns.percentile(times, percent)
            beside = rate if state != "idle" else 0.0
            p50, p99 = turns.percentile(times, 50), turns.percentile(times, 99)
            rows.append([f"{subject.name}, {state}", p50, p99, max(times), beside])
        outcome.figures |= {f"text_p99_ratio{suffix}": ratio, f"images_per_second_beside_texts{suffix}": rate}
        outcome.details[subject.key] = {state: np.round(times, 2).tolist() for state, times in found.items()}
    print("one text, milliseconds")
    print(report.table(["encoder", "p50", "p99", "longest", "pictures/s"], rows), end="\n\n")
    return outcome
