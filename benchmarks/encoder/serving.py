"""Parts `bulk`, `load` and `latency`: an encoder in a process of its own, and its clients."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from statistics import median
from typing import Any

from sightline.encoder.client import EncoderClient, RawPixels

from benchmarks.encoder.clients import BULK_PICTURES, drive_encoder, requests
from benchmarks.encoder.loops import encode_all
from benchmarks.encoder.subjects import EMBEDDED, openvino, subjects, texts
from benchmarks.harness import results, timing
from benchmarks.harness.pictures import Collection, Pixels, chunks
from benchmarks.harness.processes import NotServing, Server, encoder, mean_batch
from benchmarks.harness.timing import percentile, timed

BULK_PIXELS, BULK_BATCHES, BULK_ROUNDS, BULK_SECONDS = 128, (8, 16, 32), 5, 2.5
LOAD_PIXELS, LOAD_CLIENTS, LOAD_SECONDS, IDLE_SECONDS = 64, (1, 8, 32, 128), 5.0, 30.0
QUEUES = {"texts": ("text", "interactive"), "images": ("image", "interactive"), "bulk": ("image", "bulk")}
"""Kinds of request, and whose queue they go to."""
LATENCY_PIXELS, LATENCY_ROUNDS, LATENCY_TEXTS, PAUSE_SECONDS = 64, 4, 250, 0.01


def bulk(found: Collection) -> dict[str, float]:
    """Measure pictures a second over EncodeImageStream beside a loop in one process.

    Both encode the same preprocessed pixels on the same runtime: the one sends them in batches to an encoder in a
    process of its own, the other calls the model at its fastest batch size. They take turns; the ratio is the median of
    each turn's.
    """
    figures: dict[str, float] = {}
    rows: list[list[object]] = []
    for subject in subjects():
        encode = openvino(subject).images
        pixels = subject.pixels(found, BULK_PIXELS)
        batches = list(chunks([RawPixels(each, preprocessed=True) for each in pixels], BULK_PICTURES))
        with encoder(subject.model_id) as running, EncoderClient(running.address) as client:

            def stream(client: EncoderClient = client, batches: list[Any] = batches) -> int:
                return sum(len(answer.vectors()) for answer in client.encode_image_stream(iter(batches)))

            loops = {batch: partial(lambda *of: len(encode_all(*of)), encode, pixels, batch) for batch in BULK_BATCHES}
            loops[BULK_BATCHES[0]]()
            stream()
            pilot = {batch: timing.rate(loop)() for batch, loop in loops.items()}
            fastest = loops[max(pilot, key=lambda batch: pilot[batch])]
            entries = {"gRPC": timing.rate(stream, BULK_SECONDS), "loop": timing.rate(fastest, BULK_SECONDS)}
            turns = timing.in_turns(entries, BULK_ROUNDS)
        ratio = timing.ratio(turns, "gRPC", "loop")
        rows.append([subject.name, median(turns["gRPC"]), median(turns["loop"]), ratio])
        figures |= {
            f"grpc_bulk_ratio{subject.suffix}": ratio,
            f"grpc_bulk_images_per_second{subject.suffix}": median(turns["gRPC"]),
            f"loop_images_per_second{subject.suffix}": median(turns["loop"]),
        }
    results.show(["model", "over gRPC", "fastest loop", "ratio"], rows, "pictures a second in bulk")
    return figures


def shares(kind: str, count: int) -> dict[str, int]:
    """Return how many clients of each kind there are."""
    return dict.fromkeys(QUEUES, max(1, count // 3)) if kind == "mixed" else {kind: count}


def load(found: Collection) -> dict[str, float]:
    """Measure what 1, 8, 32 and 128 clients at once get over gRPC.

    Each client has a connection of its own and one request under way: a text, a preprocessed picture, or sixteen of
    them in bulk; in `mixed`, a third of the clients each, at least one. A row is one kind of request: items a second,
    the time of a request, the mean size of the batches that the encoder ran, and requests refused for want of room. A
    refused client comes again when it was told to.
    """
    figures: dict[str, float] = {}
    rows: list[list[object]] = []
    asked = requests(texts(2000), EMBEDDED.pixels(found, LOAD_PIXELS))
    with encoder(EMBEDDED.model_id) as running:
        for kind in (*QUEUES, "mixed"):
            for count in LOAD_CLIENTS:
                before = running.samples()
                answers = asyncio.run(drive_encoder(running.address, asked, shares(kind, count), LOAD_SECONDS))
                _wait_until_idle(running)
                after = running.samples()
                for each, got in answers.items():
                    name = each if kind != "mixed" else f"mixed: {each}"
                    batch = mean_batch(before, after, *QUEUES[each])
                    rows.append([name, count, got.rate, got.percentile(50), got.percentile(99), batch, got.refused])
                    if kind != "mixed":
                        figures[f"load_{each}_per_second_{count}"] = got.rate
                    if got.milliseconds:
                        figures[f"load_{name.replace(': ', '_')}_p99_ms_{count}"] = got.percentile(99)
                results.say(f"{kind}, {count} clients: done")
    results.show(["requests", "clients", "items/s", "p50 ms", "p99 ms", "mean batch", "refused"], rows)
    return figures


def _wait_until_idle(running: Server) -> None:
    deadline = time.monotonic() + IDLE_SECONDS
    while time.monotonic() < deadline:
        if not sum(value for key, value in running.samples().items() if key[0] == "sightline_encoder_queue_depth"):
            return
        time.sleep(0.1)


def saturate(address: str, pixels: Pixels, encoded: Any) -> None:
    """Send pictures in bulk until the process is ended, counting them."""
    batches = list(chunks([RawPixels(each, preprocessed=True) for each in pixels], BULK_PICTURES))
    with EncoderClient(address) as client:
        for answer in client.encode_image_stream(cycle(batches)):
            encoded.value += len(answer.results)


@contextmanager
def saturated(address: str, pixels: Pixels) -> Iterator[Any]:
    """Keep the encoder busy until the block ends; gives the number of pictures encoded so far, as `.value`."""
    context = multiprocessing.get_context("spawn")
    encoded = context.Value("q", 0)
    process = context.Process(target=saturate, args=(address, pixels, encoded), daemon=True)
    process.start()
    try:
        deadline = time.monotonic() + 60
        # Until the first batches are through, the queue is not full.
        while encoded.value < 2 * BULK_PICTURES:
            if not process.is_alive() or time.monotonic() > deadline:
                raise NotServing("the pictures in bulk are not encoded")
            time.sleep(0.05)
        yield encoded
    finally:
        process.terminate()
        process.join()


def latency(found: Collection) -> dict[str, float]:
    """Measure the time of one text at an idle encoder, and while pictures in bulk saturate it.

    One client asks for a text, waits a moment, asks for the next. The bulk comes from another process, over one stream
    of preprocessed pixels that always has requests waiting, as ingestion does. Idle and busy take turns; percentiles
    are over all turns, the ratio is of the two 99th percentiles.
    """
    figures: dict[str, float] = {}
    rows: list[list[object]] = []
    for subject in subjects():
        pixels = subject.pixels(found, LATENCY_PIXELS)
        times: dict[str, list[float]] = {"idle": [], "under_bulk": []}
        pictures, seconds = 0, 0.0
        words = iter(texts(50 + LATENCY_ROUNDS * 2 * LATENCY_TEXTS))
        with encoder(subject.model_id) as running, EncoderClient(running.address) as client:

            def ask(count: int, client: EncoderClient = client, words: Iterator[str] = words) -> list[float]:
                found = []
                for _ in range(count):
                    time.sleep(PAUSE_SECONDS)
                    found.append(float(timed(client.encode_texts, [[next(words)]])[0][0]))
                return found

            ask(50)
            for _ in range(LATENCY_ROUNDS):
                times["idle"] += ask(LATENCY_TEXTS)
                with saturated(running.address, pixels) as encoded:
                    before, began = encoded.value, time.perf_counter()
                    times["under_bulk"] += ask(LATENCY_TEXTS)
                    pictures, seconds = pictures + encoded.value - before, seconds + time.perf_counter() - began
        rate = pictures / seconds
        for state, mine in times.items():
            p50, p99 = percentile(mine, 50), percentile(mine, 99)
            figures |= {f"text_p50_ms_{state}{subject.suffix}": p50, f"text_p99_ms_{state}{subject.suffix}": p99}
            rows.append([f"{subject.name}, {state}", p50, p99, max(mine), rate if state != "idle" else 0.0])
        ratio = percentile(times["under_bulk"], 99) / percentile(times["idle"], 99)
        figures |= {f"text_p99_ratio{subject.suffix}": ratio, f"images_per_second_beside_texts{subject.suffix}": rate}
    results.show(["encoder", "p50", "p99", "longest", "pictures/s"], rows, "one text, milliseconds")
    return figures
