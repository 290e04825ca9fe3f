"""Part `batching`: texts a second at 1 and 32 clients, three servers in turns.

Sightline's encoder as it is; the same with batches of one; and infinity_emb, which batches too, with torch over the
same weights. Every client has one connection and one text under way. `cpu ms` is the processor time that the server
itself spent on one text, which says more than the rate where others use the machine.

infinity_emb is installed on demand into an environment of its own, `.cache/infinity`; it is left out where it cannot be
installed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from statistics import median

import numpy as np
from sightline_encoder.models.embedded import INSTALL, TEXT_CONFIG, TEXT_PACKAGE
from sightline_encoder.models.files import package_folder
from sightline_local.stack import ROOT, free_port

from benchmarks.encoder.clients import WARM_SECONDS, Answers, Call, drive, drive_encoder, requests
from benchmarks.encoder.subjects import texts
from benchmarks.harness import results, timing
from benchmarks.harness.pictures import Collection
from benchmarks.harness.processes import NotServing, Server, answers, encoder, mean_batch, process

CLIENTS = (32, 1)
ROUNDS = 3
SECONDS = 4.0
TEXTS = 4000
SIGHTLINE, UNBATCHED, INFINITY = "Sightline", "batching off", "infinity_emb"
SUFFIXES = {SIGHTLINE: "", UNBATCHED: "_unbatched", INFINITY: "_infinity"}
FOLDER = ROOT / ".cache" / "infinity"
REQUIREMENTS = ROOT / "requirements" / "infinity.txt"
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0"}


@contextmanager
def infinity() -> Iterator[Server]:
    """Run infinity_emb over the text tower's folder until the block ends, installed if it is not there yet."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    done = FOLDER / "requirements.sha256"
    if not done.is_file() or done.read_text() != wanted:
        results.say("installing infinity_emb into .cache/infinity (minutes, once)")
        pip = [str(FOLDER / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        commands = (
            [sys.executable, "-m", "venv", str(FOLDER)],
            [*pip, "install", "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)],
            [*pip, "install", "-r", str(REQUIREMENTS.with_name("torch.txt"))],
        )
        for command in commands:
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode:
                raise NotServing(f"infinity_emb cannot be installed: {ran.stderr.strip()[-200:]}")
        done.write_text(wanted)
    model = package_folder(TEXT_PACKAGE, INSTALL) / Path(TEXT_CONFIG[0]).parent
    port = free_port()
    command = [str(FOLDER / "bin" / "infinity_emb"), "v2", "--model-id", str(model), "--engine", "torch"]
    command += ["--device", "cpu", "--no-bettertransformer", "--no-model-warmup", "--host", "127.0.0.1"]
    with process(
        [*command, "--port", str(port)], ENVIRONMENT, lambda: answers(f"http://127.0.0.1:{port}/health")
    ) as it:
        yield Server(f"127.0.0.1:{port}", 0, it)


def infinity_client(address: str, words: Iterator[str]) -> Call:
    """Return a client that asks infinity_emb for one text at a time, over a connection that stays open.

    It writes and reads HTTP by hand: a library for it would cost more than the server's own share of a request.
    """
    host, _, port = address.partition(":")
    streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def call() -> int:
        if not streams:
            streams.append(await asyncio.open_connection(host, int(port)))
        reader, writer = streams[0]
        body = json.dumps({"model": "model", "input": [next(words)]}).encode()
        head = f"POST /embeddings HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        status, *headers = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        length = next(int(line.split(":")[1]) for line in headers if line.lower().startswith("content-length:"))
        answer = await reader.readexactly(length)
        if " 200 " not in f"{status} ":
            raise NotServing(f"infinity_emb answered {status}: {answer[:200].decode(errors='replace')}")
        return len(json.loads(answer)["data"])

    return call


class Contender:
    """A server and its clients.

    Attributes:
        milliseconds: Of all texts of every turn, by number of clients.
        cpu_ms: The server's processor time a text, of every turn, by number of clients.
    """

    def __init__(self, running: Server, words: list[str], *, grpc: bool = True) -> None:
        self._running = running
        self._words = cycle(words)
        self._asked = requests(words, np.empty((0, 1, 1, 3), np.uint8)) if grpc else None
        self.milliseconds: dict[int, list[float]] = {count: [] for count in CLIENTS}
        self.cpu_ms: dict[int, list[float]] = {count: [] for count in CLIENTS}

    async def _drive(self, count: int) -> dict[str, Answers]:
        if self._asked:
            return await drive_encoder(self._running.address, self._asked, {"texts": count}, SECONDS)
        return await drive(
            {"texts": [infinity_client(self._running.address, self._words) for _ in range(count)]}, SECONDS
        )

    def turn(self, count: int) -> Callable[[], float]:
        """Return one turn: texts a second."""

        def measure() -> float:
            before = self._running.cpu_seconds()
            found = asyncio.run(self._drive(count))["texts"]
            spent = self._running.cpu_seconds() - before
            self.milliseconds[count] += found.milliseconds
            # The processor time is also of the warm-up, whose texts are not counted.
            share = SECONDS / (SECONDS + WARM_SECONDS)
            self.cpu_ms[count].append(1000 * spent * share / max(1, found.items))
            return found.rate

        return measure


def run(_: Collection) -> dict[str, float]:
    """Measure all three."""
    figures: dict[str, float] = {}
    words = texts(TEXTS)
    with ExitStack() as stack:
        batched = stack.enter_context(encoder("embedded"))
        alone = stack.enter_context(encoder("embedded", max_text_batch_size=1, max_batch_size=1))
        contenders = {SIGHTLINE: Contender(batched, words), UNBATCHED: Contender(alone, words)}
        try:
            contenders[INFINITY] = Contender(stack.enter_context(infinity()), words, grpc=False)
        except NotServing as error:
            results.say(str(error))
        for count in CLIENTS:
            before = batched.samples()
            turns = timing.in_turns({name: each.turn(count) for name, each in contenders.items()}, ROUNDS)
            size = mean_batch(before, batched.samples(), "text", "interactive")
            figures[f"text_mean_batch_{count}"] = size
            rows: list[list[object]] = []
            for name, each in contenders.items():
                end = f"{count}{SUFFIXES[name]}"
                times, ratio = each.milliseconds[count], timing.ratio(turns, SIGHTLINE, name)
                rates, cpu = median(turns[name]), median(each.cpu_ms[count])
                rows.append([name, rates, timing.percentile(times, 50), timing.percentile(times, 99), cpu, ratio])
                figures |= {f"texts_per_second_{end}": rates, f"text_cpu_ms_{end}": cpu}
                if name != SIGHTLINE:
                    figures[f"texts_ratio_{end}"] = ratio
            title = f"texts, {count} clients at once (Sightline's mean batch: {size:.1f})"
            results.show(["server", "texts/s", "p50 ms", "p99 ms", "cpu ms", "times"], rows, title)
    return figures
