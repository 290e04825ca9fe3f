"""Part `load`: 1, 8, 32 and 128 clients at once over gRPC.

Each client has a connection of its own and one request under way: a text, a preprocessed picture, or sixteen of them in
bulk; in `mixed`, a third of the clients each, at least one. A row is one kind of request: items a second, the time of a
request, the mean size of the batches that the encoder ran (its metrics), and requests refused for want of room. A
refused client comes again when it was told to.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence

from benchmarks import report
from benchmarks.collection import Collection
from benchmarks.encoder import clients, server, subjects
from benchmarks.encoder.clients import Answers, Call, Connections
from benchmarks.encoder.outcome import Outcome
from benchmarks.encoder.server import Server

CLIENTS = (1, 8, 32, 128)
SECONDS = 5.0
PICTURES = 64
LANES = {"texts": ("text", "interactive"), "images": ("image", "interactive"), "bulk": ("image", "bulk")}
"""Kinds of request, and whose queue they go to."""
IDLE_SECONDS = 30.0


def shares(kind: str, count: int) -> dict[str, int]:
    """Return how many clients of each kind there are."""
    return dict.fromkeys(LANES, max(1, count // 3)) if kind == "mixed" else {kind: count}


def run(pictures: Collection) -> Outcome:
    """Measure every number of clients with every kind of request."""
    outcome = Outcome(details={"rows": []})
    subject = subjects.embedded()
    pixels = subjects.pixels(subjects.files(pictures, PICTURES), subject.source.preprocessing, PICTURES)
    words = subjects.texts(2000)
    rows: list[list[object]] = []
    with server.encoder(subject.model_id) as running:
        for kind in (*LANES, "mixed"):
            for count in CLIENTS:
                before = running.samples()
                found = asyncio.run(_drive(running, words, pixels, shares(kind, count)))
                _wait_until_idle(running)
                after = running.samples()
                for each, answers in found.items():
                    batch = server.mean_batch(before, after, *LANES[each])
                    name = each if kind != "mixed" else f"mixed: {each}"
                    rows.append(_row(name, count, answers, batch))
                    if kind != "mixed":
                        outcome.figures[f"load_{each}_per_second_{count}"] = answers.rate
                    if answers.milliseconds:
                        outcome.figures[f"load_{name.replace(': ', '_')}_p99_ms_{count}"] = answers.percentile(99)
                print(f"{kind}, {count} clients: done", file=sys.stderr)
    headers = ["requests", "clients", "items/s", "p50 ms", "p99 ms", "mean batch", "refused"]
    print(report.table(headers, rows), end="\n\n")
    outcome.details["rows"] = [dict(zip(headers, row, strict=True)) for row in rows]
    return outcome


def _row(name: str, count: int, answers: Answers, batch: float) -> list[object]:
    # Where requests take longer than was measured, none was answered.
    times: list[object] = [answers.percentile(percent) if answers.milliseconds else "-" for percent in (50, 99)]
    return [name, count, answers.rate, *times, batch, answers.refused]


async def _drive(
    running: Server, words: Sequence[str], pixels: subjects.Pixels, counts: Mapping[str, int]
) -> dict[str, Answers]:
    connections = Connections(running.address, words, pixels)
    makers = {"texts": connections.texts, "images": connections.images, "bulk": connections.bulk}
    groups: dict[str, list[Call]] = {kind: makers[kind](count) for kind, count in counts.items()}
    try:
        return await clients.drive(groups, SECONDS)
    finally:
        await connections.close()


def _wait_until_idle(running: Server) -> None:
    deadline = time.monotonic() + IDLE_SECONDS
    while time.monotonic() < deadline:
        depth = sum(value for key, value in running.samples().items() if key[0] == "sightline_encoder_queue_depth")
        if not depth:
            return
        time.sleep(0.1)
