"""Calls while one of two databases, then one of two encoders, is stopped: `make bench-frozen`.

Stopped by SIGSTOP, a process neither answers nor closes its connections, as with a stuck disk or a cut network. Some
clients call one after the other before, meanwhile and afterwards.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sightline.encoder.client import EncoderClient
from sightline_catalogue import Catalogue, CatalogueSettings, SearchParams

from benchmarks.harness import results
from benchmarks.harness.grown import BUCKET, DIMENSIONS, MODEL, database, image
from benchmarks.harness.system import encoder_process
from benchmarks.harness.timing import percentile

CLIENTS, PAUSE_SECONDS = 4, 0.02
PARTS = {"before": 10.0, "frozen": 40.0, "after": 20.0}
IMAGES = 2000


@dataclass
class Part:
    """The calls of one part: how long each took, and what was raised."""

    milliseconds: list[float] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def figures(self, name: str) -> dict[str, float]:
        """Return them by name."""
        return {
            f"{name}_calls": len(self.milliseconds),
            f"{name}_failed": len(self.failures),
            f"{name}_p50_ms": percentile(self.milliseconds, 50),
            f"{name}_max_ms": max(self.milliseconds),
        }


def measure(call: Callable[[int], object], pid: int, parts: dict[str, float]) -> dict[str, Part]:
    """Return what calls took in each part, of so many seconds; in `frozen` the process is stopped.

    A call belongs to the part in which it begins.
    """
    found = {name: Part() for name in parts}
    now = next(iter(parts))
    ends = threading.Event()

    def client(number: int) -> None:
        while not ends.wait(PAUSE_SECONDS):
            part, began = found[now], time.perf_counter()
            try:
                call(number)
            except Exception as error:
                part.failures.append(error)
            part.milliseconds.append((time.perf_counter() - began) * 1000)
            number += CLIENTS

    clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for one in clients:
        one.start()
    try:
        for now, seconds in parts.items():
            os.kill(pid, signal.SIGSTOP if now == "frozen" else signal.SIGCONT)
            time.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)
        ends.set()
        for one in clients:
            one.join()
    return found


@contextmanager
def two_databases() -> Iterator[tuple[Callable[[int], object], int]]:
    """Run two databases of the same images; gives a search of both, and the process id of one."""
    vectors = np.random.default_rng(7).standard_normal((IMAGES, DIMENSIONS)).astype(np.float32)
    images = [image(number) for number in range(IMAGES)]
    with ExitStack() as stack:
        running = [
            stack.enter_context(database(Path(stack.enter_context(tempfile.TemporaryDirectory())))) for _ in range(2)
        ]
        for one in running:
            collection = one.catalogue().ensure_collection(MODEL)
            collection.upsert(images, vectors)
            one.catalogue().activate(collection)
        both = Catalogue(CatalogueSettings(url=",".join(one.url for one in running)), BUCKET)
        stack.callback(both.close)
        params = SearchParams(limit=50)
        yield lambda number: both.current().nearest(vectors[number % IMAGES], params), running[0].process.pid


@contextmanager
def two_encoders() -> Iterator[tuple[Callable[[int], object], int]]:
    """Run two encoders; gives a query of both, and the process id of one."""
    with ExitStack() as stack:
        running = [stack.enter_context(encoder_process("embedded")) for _ in range(2)]
        both = stack.enter_context(EncoderClient([address for address, _ in running], timeout_seconds=5.0))
        yield lambda number: both.encode_texts([f"picture {number}"]), running[0][1].pid


def main() -> None:
    """Stop one of two of each, print and write."""
    results.options("bench-frozen", __doc__)
    rows: list[list[object]] = []
    figures: dict[str, float] = {}
    for what, run in {"database": two_databases, "encoder": two_encoders}.items():
        with run() as (call, pid):
            for part, calls in measure(call, pid, PARTS).items():
                found = calls.figures(f"{what}_{part}")
                figures |= found
                rows.append([f"one of two {what}s, {part}", *found.values()])
                for failure in calls.failures[:3]:
                    results.say(f"{what}, {part}: {failure}")
    results.show(["calls", "calls", "failed", "p50 ms", "longest ms"], rows)
    results.write("bench-frozen", settings={"clients": CLIENTS, "seconds": PARTS}, figures=figures)


if __name__ == "__main__":
    main()
