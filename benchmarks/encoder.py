"""The encoder, measured part by part: `make bench-encoder PARTS=loops,bulk,batching,latency`.

A run of some parts keeps the figures of the others, each part with when and where it was measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import grpc
from sightline.encoder.client import INTERACTIVE, EncoderClient, RawPixels
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc
from sightline_encoder.models.embedded import INSTALL, TEXT_CONFIG, TEXT_PACKAGE
from sightline_encoder.models.files import package_folder
from sightline_local.stack import ROOT, free_port

from benchmarks import encoder_loops
from benchmarks.encoder_loops import encode_all, openvino, settings, subjects, texts
from benchmarks.harness import pictures, results, timing
from benchmarks.harness.pictures import Collection, Pixels, chunks
from benchmarks.harness.results import Failed
from benchmarks.harness.system import answers, encoder, process, wait_for
from benchmarks.harness.timing import percentile, timed

TARGET = "bench-encoder"
BULK_REQUEST, BULK_PIXELS, BULK_BATCHES, BULK_ROUNDS, BULK_SECONDS = 16, 128, (8, 16, 32), 5, 2.5
LATENCY_PIXELS, LATENCY_ROUNDS, LATENCY_TEXTS, PAUSE_SECONDS = 64, 4, 250, 0.01
CLIENTS, ROUNDS, SECONDS, TEXTS = (32, 1), 3, 4.0, 4000
WARM_SECONDS = 1.0
"""Answers of the first moments are not counted: queues are still filling."""
SIGHTLINE, UNBATCHED, INFINITY = "Sightline", "batching off", "infinity_emb"
SUFFIXES = {SIGHTLINE: "", UNBATCHED: "_unbatched", INFINITY: "_infinity"}
FOLDER = ROOT / ".cache" / "infinity"
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0"}
BARS = {
    "embedded_speedup": "embedded: pictures, OpenVINO over torch float32",
    "vit_b_32_speedup": "ViT-B-32: pictures, OpenVINO over torch float32",
    "grpc_bulk_ratio": "embedded: pictures in bulk, gRPC over a loop",
    "grpc_bulk_ratio_vit_b_32": "ViT-B-32: pictures in bulk, gRPC over a loop",
    "texts_ratio_32_unbatched": "texts, 32 clients: over batching off",
    "texts_ratio_32_infinity": "texts, 32 clients: over infinity_emb",
}
"""Figures that are so many times as fast as what they are compared with."""
Call = Callable[[], Awaitable[object]]


def in_bulk(pixels: Pixels) -> list[Any]:
    """Return requests of sixteen preprocessed pictures each."""
    return list(chunks([RawPixels(each, preprocessed=True) for each in pixels], BULK_REQUEST))


def bulk(found: Collection) -> dict[str, float]:
    """Measure pictures a second over EncodeImageStream beside a loop in one process at its fastest batch size."""
    figures: dict[str, float] = {}
    rows: list[list[object]] = []
    for subject in subjects():
        encode = openvino(subject)["images"]
        pixels = subject.pixels(found, BULK_PIXELS)
        with encoder(subject.model_id) as address, EncoderClient(address) as client:

            def stream(client: EncoderClient = client, batches: list[Any] = in_bulk(pixels)) -> list[Any]:  # noqa: B008
                return [vector for answer in client.encode_image_stream(iter(batches)) for vector in answer.vectors()]

            loops = {batch: partial(encode_all, encode, pixels, batch) for batch in BULK_BATCHES}
            loops[BULK_BATCHES[0]]()
            stream()
            pilot = {batch: timing.rate(loop)() for batch, loop in loops.items()}
            fastest = loops[max(pilot, key=lambda batch: pilot[batch])]
            entries = {"gRPC": timing.rate(stream, BULK_SECONDS), "loop": timing.rate(fastest, BULK_SECONDS)}
            turns = timing.in_turns(entries, BULK_ROUNDS)
        ratio, served, bare = timing.ratio(turns, "gRPC", "loop"), median(turns["gRPC"]), median(turns["loop"])
        rows.append([subject.name, served, bare, ratio])
        end = "" if subject.key == "embedded" else f"_{subject.key}"
        figures |= {f"grpc_bulk_ratio{end}": ratio, f"grpc_bulk_images_per_second{end}": served}
        figures[f"loop_images_per_second{end}"] = bare
    results.show(["model", "over gRPC", "fastest loop", "ratio"], rows, "pictures a second in bulk")
    return figures


async def drive(open_client: Callable[[], Call], count: int, seconds: float) -> list[float]:
    """Have so many clients call again and again for some seconds; return the milliseconds of each call that counts."""
    began = time.perf_counter() + WARM_SECONDS
    ends = began + seconds
    milliseconds: list[float] = []

    async def client(call: Call) -> None:
        while (sent := time.perf_counter()) < ends:
            await call()
            if began <= (now := time.perf_counter()) < ends:
                milliseconds.append((now - sent) * 1000)

    await asyncio.gather(*(client(open_client()) for _ in range(count)))
    return milliseconds


def encoder_client(address: str, words: Iterator[str]) -> Call:
    """Return a client that asks the encoder for one text at a time, over a connection of its own."""
    channel = grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
    stub = encoder_pb2_grpc.EncoderStub(channel)
    return lambda: stub.EncodeText(encoder_pb2.EncodeTextRequest(priority=INTERACTIVE, texts=[next(words)]))


def infinity_client(address: str, words: Iterator[str]) -> Call:
    """Return such a client of infinity_emb; a library for HTTP would cost more than the server's own share."""
    streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def call() -> None:
        if not streams:
            streams.append(await asyncio.open_connection(*address.split(":")))
        reader, writer = streams[0]
        body = json.dumps({"model": "model", "input": [next(words)]}).encode()
        head = f"POST /embeddings HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        status, *headers = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        length = next(int(line.split(":")[1]) for line in headers if line.lower().startswith("content-length:"))
        answer = await reader.readexactly(length)
        if " 200 " not in f"{status} ":
            raise Failed(f"infinity_emb answered {status}: {answer[:200].decode(errors='replace')}")
        json.loads(answer)

    return call


@contextmanager
def infinity() -> Iterator[str]:
    """Run infinity_emb over the text tower's folder until the block ends; gives its address."""
    if not (FOLDER / ".installed").is_file():
        raise Failed("infinity_emb is not installed: left out")
    model = package_folder(TEXT_PACKAGE, INSTALL) / Path(TEXT_CONFIG[0]).parent
    port = free_port()
    command = [str(FOLDER / "bin" / "infinity_emb"), "v2", "--model-id", str(model), "--engine", "torch"]
    command += ["--device", "cpu", "--no-bettertransformer", "--no-model-warmup", "--host", "127.0.0.1"]
    address = f"127.0.0.1:{port}"
    with process([*command, "--port", str(port)], ENVIRONMENT, lambda: answers(f"http://{address}/health")):
        yield address


def batching(_: Collection) -> dict[str, float]:
    """Measure texts a second at 1 and 32 clients, each with one text under way, of three servers in turns."""
    figures: dict[str, float] = {}
    words = cycle(texts(TEXTS))
    with ExitStack() as stack:
        alone = encoder("embedded", max_text_batch_size=1, max_batch_size=1)
        servers = {
            SIGHTLINE: partial(encoder_client, stack.enter_context(encoder("embedded")), words),
            UNBATCHED: partial(encoder_client, stack.enter_context(alone), words),
        }
        try:
            servers[INFINITY] = partial(infinity_client, stack.enter_context(infinity()), words)
        except Failed as error:
            results.say(str(error))
        for count in CLIENTS:
            times: dict[str, list[float]] = {name: [] for name in servers}

            def turn(name: str, count: int = count, times: dict[str, list[float]] = times) -> float:
                found = asyncio.run(drive(servers[name], count, SECONDS))
                times[name] += found
                return len(found) / SECONDS

            turns = timing.in_turns({name: partial(turn, name) for name in servers}, ROUNDS)
            rows: list[list[object]] = []
            for name, mine in times.items():
                end, ratio, rate = f"{count}{SUFFIXES[name]}", timing.ratio(turns, SIGHTLINE, name), median(turns[name])
                rows.append([name, rate, percentile(mine, 50), percentile(mine, 99), ratio])
                figures |= {f"texts_per_second_{end}": rate, f"texts_ratio_{end}": ratio}
            results.show(["server", "texts/s", "p50 ms", "p99 ms", "times"], rows, f"texts, {count} clients at once")
    return figures


def saturate(address: str, pixels: Pixels, encoded: Any) -> None:
    """Send pictures in bulk until the process is ended, counting them."""
    with EncoderClient(address) as client:
        for answer in client.encode_image_stream(cycle(in_bulk(pixels))):
            encoded.value += len(answer.results)


@contextmanager
def saturated(address: str, pixels: Pixels) -> Iterator[Any]:
    """Keep the encoder busy until the block ends; gives the number of pictures encoded so far, as `.value`."""
    context = multiprocessing.get_context("spawn")
    encoded = context.Value("q", 0)
    sender = context.Process(target=saturate, args=(address, pixels, encoded), daemon=True)
    sender.start()
    try:
        # Until the first batches are through, the queue is not full.
        wait_for("pictures in bulk encoded", lambda: encoded.value >= 2 * BULK_REQUEST, 60)
        yield encoded
    finally:
        sender.terminate()
        sender.join()


def latency(found: Collection) -> dict[str, float]:
    """Measure the time of one text at an idle encoder, and while pictures in bulk saturate it, in turns.

    The bulk comes from another process, over one stream that always has requests waiting, as ingestion does.
    """
    subject = subjects()[0]
    pixels = subject.pixels(found, LATENCY_PIXELS)
    times: dict[str, list[float]] = {"idle": [], "under_bulk": []}
    encoded_pictures, seconds = 0, 0.0
    words = iter(texts(50 + LATENCY_ROUNDS * 2 * LATENCY_TEXTS))
    with encoder(subject.model_id) as address, EncoderClient(address) as client:

        def ask(count: int) -> list[float]:
            milliseconds: list[float] = []
            for _ in range(count):
                time.sleep(PAUSE_SECONDS)
                milliseconds += timed(client.encode_texts, [[next(words)]])[0].tolist()
            return milliseconds

        ask(50)
        for _ in range(LATENCY_ROUNDS):
            times["idle"] += ask(LATENCY_TEXTS)
            with saturated(address, pixels) as encoded:
                before, began = encoded.value, time.perf_counter()
                times["under_bulk"] += ask(LATENCY_TEXTS)
                encoded_pictures += encoded.value - before
                seconds += time.perf_counter() - began
    p50s, p99s = ({state: percentile(mine, cut) for state, mine in times.items()} for cut in (50, 99))
    results.show(["one text", "p50 ms", "p99 ms"], [[state, p50s[state], p99s[state]] for state in times])
    figures = {f"text_p50_ms_{state}": value for state, value in p50s.items()}
    figures |= {f"text_p99_ms_{state}": value for state, value in p99s.items()}
    figures["text_p99_ratio"] = p99s["under_bulk"] / p99s["idle"]
    return figures | {"images_per_second_beside_texts": encoded_pictures / seconds}


PARTS: dict[str, Callable[[Collection], dict[str, float]]] = {
    "loops": encoder_loops.run,
    "bulk": bulk,
    "batching": batching,
    "latency": latency,
}


def chosen(names: str) -> list[str]:
    """Return the parts that were asked for, in the order of the table."""
    asked = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in asked if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return [name for name in PARTS if name in asked]


def known_parts(path: Path) -> dict[str, Any]:
    """Return the parts of a file of results; none where it is not there or is something else."""
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))["parts"]
        return {name: parts[name] for name in PARTS if name in parts}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def figures_of(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the figures of all parts in one flat object."""
    return {name: value for part in parts.values() for name, value in part["figures"].items()}


def main() -> None:
    """Measure, print, draw and write."""
    options = results.options(TARGET, __doc__, parts=(chosen, ",".join(PARTS)))
    found = pictures.find(options.images)
    parts = known_parts(results.RESULTS / f"{TARGET}.json")
    for name in options.parts:
        figures = {key: round(float(value), 6) for key, value in PARTS[name](found).items()}
        when = datetime.now(UTC).isoformat(timespec="seconds")
        parts[name] = {"when": when, "machine": results.machine(), "figures": figures}
        described = {"images": str(found.folder), "threads": settings().forward_threads}
        # After each part: what was measured is kept if a later one fails.
        quiet = name != options.parts[-1]
        results.write(TARGET, settings=described, figures=figures_of(parts), quiet=quiet, parts=parts)
    bars = {label: value for name, label in BARS.items() if (value := figures_of(parts).get(name))}
    if bars:
        results.draw_bars(TARGET, "The encoder, times what it is compared with", {"times as many a second": bars})


if __name__ == "__main__":
    main()
