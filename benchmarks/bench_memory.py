"""Memory of each process of the running system, idle and under load: `make bench-memory IMAGES=FOLDER FIRST_START=1`.

The real services are started here on free ports over an empty bucket, and looked at once they have been idle for a
while. Then the pictures are put into the bucket, and eight clients search, with clusters, until all is indexed and for
at least half a minute; the most that was seen counts. FIRST_START=1 starts with an empty folder for models, so that the
encoder converts its model first, and says what that took.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline_encoder.models.embedded import class_texts
from sightline_local.readiness import NotReady

from benchmarks import bench_ingest, bench_search, collection, footprint, report
from benchmarks.collection import Collection
from benchmarks.footprint import Highest
from benchmarks.system import System, system
from benchmarks.watch import SAMPLE_SECONDS, Watch

CLIENTS = 8
SETTLE_SECONDS = 10.0
IDLE_SECONDS = 3.0
LEAST_LOAD_SECONDS = 30.0
WAIT_SECONDS = 3600.0
MIB = 2**20
ORDER = (
    "encoder",
    "qdrant-edge",
    "redis",
    "ingest-worker",
    "map-worker",
    "watcher",
    "search-gateway",
    "supervisor",
)


class Clients:
    """Searches by several clients at once, with clusters, no text twice."""

    def __init__(self, running: System) -> None:
        self.searches = 0
        self.failed: list[str] = []
        self._running = running
        self._lock = threading.Lock()
        self._done = threading.Event()
        names = [first for first, _, _ in class_texts()]
        self._texts = (f"{name}, picture {number}" for number in itertools.count(1) for name in names)

    @contextmanager
    def searching(self) -> Iterator[None]:
        """Search while the block runs."""
        threads = [threading.Thread(target=self._search, daemon=True) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._done.set()
            for thread in threads:
                thread.join()

    def _search(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._running.stack.ports.gateway, timeout=60)
        while not self._done.is_set():
            with self._lock:
                text = next(self._texts)
            try:
                bench_search.ask(connection, text, clusters=True)
                with self._lock:
                    self.searches += 1
            except (bench_search.SearchFailed, OSError, http.client.HTTPException) as error:
                connection.close()
                self.failed.append(str(error))
                self._done.wait(1.0)
        connection.close()


@dataclass
class Outcome:
    """All that was measured."""

    start: Watch
    idle: Watch
    load: Watch
    ready_seconds: float
    load_seconds: float
    indexed: int
    searches: int
    refused: int


def say(line: str) -> None:
    """Tell on stderr what comes next."""
    print(line, file=sys.stderr, flush=True)


def measure(pictures: Collection, folder: Path, models: Path) -> Outcome:
    """Start, wait, load.

    Raises:
        NotReady: The services do not come up, or do not get done.
    """
    bucket = folder / "bucket"
    bucket.mkdir()
    staged = bench_ingest.stage(pictures, folder / "staged")
    start, idle, load = Watch(), Watch(), Watch()
    began = time.monotonic()
    say("starting")
    with system(bucket, folder / "state", models=models, on_wait=start.look) as running:
        ready_seconds = time.monotonic() - began
        say(f"idle for {SETTLE_SECONDS + IDLE_SECONDS:.0f} s")
        time.sleep(SETTLE_SECONDS)
        with idle.watching(running):
            time.sleep(IDLE_SECONDS)
        say(f"indexing {len(pictures.keys):,} pictures while {CLIENTS} clients search")
        clients = Clients(running)
        began = time.monotonic()
        with load.watching(running), clients.searching():
            staged.rename(bucket / "pictures")
            running.rescan()
            state = running.wait(lambda s: s.known > 0 and s.finished, WAIT_SECONDS)
            time.sleep(max(0.0, LEAST_LOAD_SECONDS - (time.monotonic() - began)))
            load_seconds = time.monotonic() - began
    return Outcome(start, idle, load, ready_seconds, load_seconds, state.indexed, clients.searches, len(clients.failed))


def rows(outcome: Outcome) -> list[list[object]]:
    """Return a row for each process, and one for all: MiB idle, then the most under load, and what it has loaded."""
    names = sorted({*outcome.idle.highest, *outcome.load.highest}, key=_order)
    found: list[list[object]] = []
    for name in names:
        idle, load = outcome.idle.highest.get(name), outcome.load.highest.get(name)
        loaded = outcome.idle.libraries.get(name, set()) | outcome.load.libraries.get(name, set())
        count = max(each.processes for each in (idle, load) if each is not None)
        shown = f"{name} ({count})" if name.endswith("children") else name
        found.append([shown, *_mib(idle), *_mib(load), ", ".join(sorted(loaded - {"numpy"})) or "-"])
    found.append(["all", *_mib(outcome.idle.total), *_mib(outcome.load.total), ""])
    return found


def figures(outcome: Outcome) -> dict[str, float]:
    """Return the figures by name: `PROCESS_idle_rss_mib`, `PROCESS_load_pss_mib` and so on, `torch_PROCESS` 1 or 0.

    Other kinds of memory are among `processes` in the file.
    """
    found: dict[str, float] = {}
    for when, watch in (("idle", outcome.idle), ("load", outcome.load)):
        for name, highest in [*watch.highest.items(), ("all", watch.total)]:
            for kind in ("rss", "pss"):
                if kind in highest.bytes:
                    found[f"{_figure(name)}_{when}_{kind}_mib"] = highest.bytes[kind] / MIB
    watches = (outcome.idle, outcome.load)
    for name in {*outcome.idle.libraries, *outcome.load.libraries}:
        found[f"torch_{_figure(name)}"] = any("torch" in watch.libraries.get(name, ()) for watch in watches)
    if encoder := outcome.start.highest.get("encoder"):
        found["encoder_start_rss_mib"] = encoder.bytes.get("rss", 0) / MIB
    return dict(sorted(found.items())) | {
        "ready_seconds": outcome.ready_seconds,
        "load_seconds": outcome.load_seconds,
        "indexed": outcome.indexed,
        "searches": outcome.searches,
        "searches_refused": outcome.refused,
    }


def processes(outcome: Outcome) -> dict[str, Any]:
    """Return for each process and moment all kinds of memory, in bytes, and the libraries that it has loaded."""
    return {
        when: {
            name: {**highest.bytes, "processes": highest.processes, "loaded": sorted(watch.libraries[name])}
            for name, highest in watch.highest.items()
        }
        for when, watch in (("start", outcome.start), ("idle", outcome.idle), ("load", outcome.load))
    }


def _mib(highest: Highest | None) -> Iterator[object]:
    for kind in footprint.KINDS:
        yield round(highest.bytes[kind] / MIB) if highest is not None and kind in highest.bytes else "-"


def _figure(name: str) -> str:
    return name.replace(", ", "_").replace("-", "_")


def _order(name: str) -> tuple[int, str]:
    service = name.partition(",")[0]
    return ORDER.index(service) if service in ORDER else len(ORDER), name


def draw(outcome: Outcome) -> None:
    """Draw for each service what it holds idle and under load, children and all."""
    kind = "pss" if "pss" in outcome.load.total.bytes else "rss"
    services = [name for name in ORDER if name in outcome.load.highest]

    def held(watch: Watch, service: str) -> float:
        parts = [watch.highest[name] for name in (service, f"{service}, children") if name in watch.highest]
        return sum(part.bytes.get(kind, 0) for part in parts) / MIB

    with report.picture("bench-memory", f"Memory of each service, MiB ({kind.upper()})", width=7, height=3.8) as axes:
        for number, (label, watch) in enumerate((("idle", outcome.idle), ("under load, at most", outcome.load))):
            places = [place + 0.4 * number for place in range(len(services))]
            values = [held(watch, service) for service in services]
            bars = axes.barh(places, values, 0.38, color=report.COLORS[number], label=label)
            axes.bar_label(bars, fmt="%.0f", padding=3, fontsize=7)
        axes.set_yticks([place + 0.2 for place in range(len(services))], services)
        axes.invert_yaxis()
        axes.margins(x=0.1)
        axes.grid(axis="x", color=report.GRID, linewidth=0.5)


def show(outcome: Outcome, first_start: bool) -> None:
    """Print the table, and what a first start took."""
    headers = ["process", *(f"idle {kind}" for kind in footprint.KINDS), *(f"load {kind}" for kind in footprint.KINDS)]
    print("MiB; under load the most that was seen, each on its own")
    print(report.table([*headers, "loaded"], rows(outcome)), end="\n\n")
    _name_torch("idle", outcome.idle.libraries)
    _name_torch("under load", outcome.load.libraries)
    if first_start:
        encoder = outcome.start.highest.get("encoder", Highest())
        resident = encoder.bytes.get("rss", 0) / MIB
        print(
            f"first start: ready after {outcome.ready_seconds:.1f} s, "
            f"the encoder at most {resident:,.0f} MiB resident until then"
        )
    print(f"{outcome.searches:,} searches, {outcome.refused} refused; {outcome.indexed:,} pictures indexed\n")


def _name_torch(when: str, libraries: dict[str, set[str]]) -> None:
    having = sorted(name for name, loaded in libraries.items() if "torch" in loaded)
    print(f"torch, {when}: " + (", ".join(having) if having else "no process has loaded it"))


def main() -> None:
    """Measure, print, draw and write."""
    parser = argparse.ArgumentParser(prog="make bench-memory", description=__doc__)
    parser.add_argument("--images", help="a folder of pictures (default: the sample pictures)")
    parser.add_argument("--first-start", action="store_true", help="start with no converted model")
    options = parser.parse_args()
    pictures = bench_ingest.distinct(collection.find(options.images))
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as temporary:
        folder = Path(temporary)
        models = folder / "models" if options.first_start else collection.MODELS
        try:
            outcome = measure(pictures, folder, models)
        except NotReady as error:
            sys.exit(str(error))
    show(outcome, options.first_start)
    draw(outcome)
    settings = {
        "images": str(pictures.folder),
        "pictures": len(pictures.keys),
        "clients": CLIENTS,
        "first_start": options.first_start,
        "sample_seconds": SAMPLE_SECONDS,
        "looks": {"start": outcome.start.looks, "idle": outcome.idle.looks, "load": outcome.load.looks},
    }
    report.write("bench-memory", settings=settings, figures=figures(outcome), processes=processes(outcome))


if __name__ == "__main__":
    main()
