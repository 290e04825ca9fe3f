"""Memory of each process of the running system, idle and under load: `make bench-memory IMAGES=FOLDER FIRST_START=1`.

The real services are started here on free ports over an empty bucket, and looked at once they have been idle for a
while. Then the pictures are put into the bucket, and eight clients search, with clusters, until all is indexed and for
at least half a minute; the most that was seen counts. FIRST_START=1 starts with an empty folder for models, so that the
encoder converts its model first, and says what that took.
"""

from __future__ import annotations

import http.client
import itertools
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from sightline_local.readiness import NotReady

from benchmarks.bench_ingest import distinct
from benchmarks.harness import pictures, results, searches
from benchmarks.harness.memory import KINDS, MIB, Watch
from benchmarks.harness.pictures import Collection, class_names
from benchmarks.harness.results import say
from benchmarks.harness.system import stage, system
from benchmarks.harness.timing import meanwhile

CLIENTS = 8
SETTLE_SECONDS = 10.0
IDLE_SECONDS = 3.0
LEAST_LOAD_SECONDS = 30.0
SAMPLE_SECONDS = 0.2


class Clients:
    """Searches with clusters by several clients at once, no text twice."""

    def __init__(self, port: int) -> None:
        self.answered = 0
        self.refused = 0
        self._port = port
        self._connections = threading.local()
        names = class_names()
        self._texts = (f"{name}, picture {number}" for number in itertools.count(1) for name in names)
        self._lock = threading.Lock()

    def search(self) -> None:
        """Search once, over a connection that a thread keeps."""
        with self._lock:
            text = next(self._texts)
        kept = self._connections.__dict__
        connection = kept.setdefault("http", http.client.HTTPConnection("127.0.0.1", self._port, timeout=60))
        try:
            searches.ask(connection, text, clusters=True)
            self.answered += 1
        except (searches.SearchFailed, OSError, http.client.HTTPException):
            connection.close()
            self.refused += 1
            time.sleep(1.0)


@dataclass
class Outcome:
    """All that was measured."""

    start: Watch
    idle: Watch
    load: Watch
    others: dict[str, float]


def measure(found: Collection, folder: Path, models: Path) -> Outcome:
    """Start, wait, load."""
    bucket = folder / "bucket"
    bucket.mkdir()
    staged = stage(found, folder / "staged")
    start, idle, load = Watch(), Watch(), Watch()
    began = time.monotonic()
    say("starting")
    with system(bucket, folder / "state", models=models, on_wait=start.look) as running:
        ready_seconds = time.monotonic() - began
        say(f"idle for {SETTLE_SECONDS + IDLE_SECONDS:.0f} s")
        time.sleep(SETTLE_SECONDS)
        with meanwhile(lambda: idle.look(running), pause_seconds=SAMPLE_SECONDS):
            time.sleep(IDLE_SECONDS)
        say(f"indexing {len(found.keys):,} pictures while {CLIENTS} clients search")
        clients = Clients(running.stack.ports.gateway)
        began = time.monotonic()
        looking = meanwhile(lambda: load.look(running), pause_seconds=SAMPLE_SECONDS)
        with looking, meanwhile(*[clients.search] * CLIENTS):
            staged.rename(bucket / "pictures")
            running.rescan()
            state = running.wait(lambda state: state.known > 0 and state.finished)
            time.sleep(max(0.0, LEAST_LOAD_SECONDS - (time.monotonic() - began)))
            load_seconds = time.monotonic() - began
    others = {
        "ready_seconds": ready_seconds,
        "load_seconds": load_seconds,
        "indexed": state.indexed,
        "searches": clients.answered,
        "searches_refused": clients.refused,
    }
    return Outcome(start, idle, load, others)


def figures(outcome: Outcome) -> dict[str, float]:
    """Return the figures by name: `PROCESS_idle_rss_mib`, `PROCESS_load_pss_mib` and so on, `torch_PROCESS` 1 or 0.

    Other kinds of memory are among `processes` in the file.
    """
    found: dict[str, float] = {}
    for when, watch in (("idle", outcome.idle), ("load", outcome.load)):
        for name, most in [*watch.most.items(), ("all", watch.total)]:
            found |= {f"{_figure(name)}_{when}_{kind}_mib": most[kind] / MIB for kind in ("rss", "pss")}
        for name, loaded in watch.libraries.items():
            found[f"torch_{_figure(name)}"] = found.get(f"torch_{_figure(name)}", False) or "torch" in loaded
    if encoder := outcome.start.most.get("encoder"):
        found["encoder_start_rss_mib"] = encoder["rss"] / MIB
    return dict(sorted(found.items())) | outcome.others


def _figure(name: str) -> str:
    return name.replace(", ", "_").replace("-", "_")


def show(outcome: Outcome) -> None:
    """Print a row for each process, and one for all: MiB idle, then the most under load, and what it has loaded."""
    idle, load = outcome.idle, outcome.load
    rows: list[list[object]] = []
    for name in dict.fromkeys([*idle.most, *load.most]):
        watches = [watch for watch in (idle, load) if name in watch.most]
        loaded = set[str]().union(*(watch.libraries[name] for watch in watches)) - {"numpy"}
        shown = f"{name} ({max(watch.most[name]['processes'] for watch in watches)})"
        held = [
            round(watch.most[name][kind] / MIB) if name in watch.most else "-"
            for watch in (idle, load)
            for kind in KINDS
        ]
        rows.append([shown, *held, ", ".join(sorted(loaded)) or "-"])
    rows.append(["all", *(round(watch.total[kind] / MIB) for watch in (idle, load) for kind in KINDS), ""])
    headers = ["process", *(f"{when} {kind}" for when in ("idle", "load") for kind in KINDS), "loaded"]
    results.show(headers, rows, "MiB; under load the most that was seen, each on its own")
    series = {
        when: {name: most["pss"] / MIB for name, most in watch.most.items()}
        for when, watch in (("under load, at most", load), ("idle", idle))
    }
    results.draw_bars("bench-memory", "Memory of each process, MiB (PSS)", series)


def main() -> None:
    """Measure, print, draw and write."""
    parser = results.command_line("bench-memory", __doc__)
    parser.add_argument("--first-start", action="store_true", help="start with no converted model")
    options = parser.parse_args()
    found = distinct(pictures.find(options.images))
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as temporary:
        folder = Path(temporary)
        try:
            outcome = measure(found, folder, folder / "models" if options.first_start else pictures.MODELS)
        except NotReady as error:
            sys.exit(str(error))
    show(outcome)
    watches = {"start": outcome.start, "idle": outcome.idle, "load": outcome.load}
    settings = {
        "images": str(found.folder),
        "pictures": len(found.keys),
        "clients": CLIENTS,
        "first_start": options.first_start,
        "sample_seconds": SAMPLE_SECONDS,
        "looks": {when: watch.looks for when, watch in watches.items()},
    }
    processes = {
        when: {name: most | {"loaded": sorted(watch.libraries[name])} for name, most in watch.most.items()}
        for when, watch in watches.items()
    }
    results.write("bench-memory", settings=settings, figures=figures(outcome), processes=processes)


if __name__ == "__main__":
    main()
