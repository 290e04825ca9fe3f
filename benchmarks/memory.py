"""Memory of each process of the running system, idle and under load: `make bench-memory IMAGES=FOLDER`.

Under load the pictures are indexed while eight clients search, with clusters; the most that was seen counts.
"""

from __future__ import annotations

import http.client
import re
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, islice

import psutil

from benchmarks.harness import pictures, results
from benchmarks.harness.pictures import Collection, class_names
from benchmarks.harness.results import Failed, say
from benchmarks.harness.system import System, stage, system
from benchmarks.harness.timing import meanwhile
from benchmarks.ingest import distinct
from benchmarks.search import search

CLIENTS = 8
SETTLE_SECONDS, IDLE_SECONDS, LEAST_LOAD_SECONDS, SAMPLE_SECONDS = 10.0, 3.0, 30.0, 0.2
KINDS = ("rss", "pss")
"""Resident, what is shared counted whole; what is shared divided by those who share it, for adding up."""
HEAVY = ("torch", "openvino", "onnxruntime", "scipy", "sklearn", "matplotlib", "pandas", "numba", "tokenizers", "numpy")
"""Libraries whose loading costs tens of megabytes or seconds, by the folder that they are installed in."""
MIB = 2**20


def held(processes: Iterable[psutil.Process]) -> Counter[str]:
    """Return what processes hold in all, in bytes by kind, and under `processes` how many of them are left."""
    total: Counter[str] = Counter()
    for process in processes:
        with suppress(psutil.Error):
            found = process.memory_full_info()
            # A process that has ended and was not waited for holds nothing.
            if found.rss:
                total += Counter(rss=found.rss, pss=found.pss, processes=1)
    return total


def libraries(processes: Iterable[psutil.Process]) -> set[str]:
    """Return which of the heavy libraries any of the processes has mapped."""
    found: set[str] = set()
    for process in processes:
        with suppress(psutil.Error):
            found |= set(filter(None, (library_of(mapped.path) for mapped in process.memory_maps())))
    return found


def library_of(path: str) -> str | None:
    """Return the heavy library that a mapped file is of."""
    installed = re.search(r"/(?:site|dist)-packages/([A-Za-z0-9_]+?)(?:\.libs)?/", path)
    name = "torch" if re.search(r"/libtorch[A-Za-z_]*\.", path) else installed and installed.group(1)
    return name if name in HEAVY else None


@dataclass
class Watch:
    """The most that each process of a system, and its children together, and all at one moment held while watched."""

    most: dict[str, Counter[str]] = field(default_factory=dict)
    total: Counter[str] = field(default_factory=Counter)
    libraries: dict[str, set[str]] = field(default_factory=dict)

    def look(self, running: System) -> None:
        """Look once."""
        total: Counter[str] = Counter()
        for name, processes in running.processes().items():
            for part, own in ((name, processes[:1]), (f"{name}, children", processes[1:])):
                if now := held(own):
                    self.most[part] = self.most.get(part, Counter()) | now
                    self.libraries.setdefault(part, set()).update(libraries(own))
                    total += now
        self.total |= total


def measure(found: Collection) -> tuple[Watch, Watch, dict[str, float]]:
    """Start, wait, load; return what was seen idle and under load, and what was indexed and searched meanwhile."""
    idle, load = Watch(), Watch()
    say("starting")
    with system() as running:
        say(f"idle for {SETTLE_SECONDS + IDLE_SECONDS:.0f} s")
        time.sleep(SETTLE_SECONDS)
        with meanwhile(lambda: idle.look(running), pause_seconds=SAMPLE_SECONDS):
            time.sleep(IDLE_SECONDS)
        say(f"indexing {len(found.keys):,} pictures while {CLIENTS} clients search")
        staged = stage(found, running)
        others = Counter(searches=0, searches_refused=0)
        texts = (f"{name}, picture {number}" for number in count(1) for name in class_names())

        def ask() -> None:
            try:
                run = search(running.stack.ports.gateway, list(islice(texts, 10 * CLIENTS)), CLIENTS, clusters=True)
                others["searches"] += len(run.milliseconds)
            except (Failed, OSError, http.client.HTTPException):
                others["searches_refused"] += 1
                time.sleep(1.0)

        began = time.monotonic()
        looking = meanwhile(lambda: load.look(running), pause_seconds=SAMPLE_SECONDS)
        with looking, meanwhile(ask):
            staged.rename(running.stack.bucket / "pictures")
            running.rescan()
            state = running.wait(lambda state: state.known > 0 and state.finished)
            time.sleep(max(0.0, LEAST_LOAD_SECONDS - (time.monotonic() - began)))
    return idle, load, {"indexed": state.indexed, **others}


def figures(idle: Watch, load: Watch, others: dict[str, float]) -> dict[str, float]:
    """Return the figures by name: `PROCESS_idle_rss_mib`, `PROCESS_load_pss_mib` and so on, `torch_PROCESS` 1 or 0."""
    found: dict[str, float] = {}
    for when, watch in (("idle", idle), ("load", load)):
        for name, most in [*watch.most.items(), ("all", watch.total)]:
            found |= {f"{_figure(name)}_{when}_{kind}_mib": most[kind] / MIB for kind in ("rss", "pss")}
        for name, loaded in watch.libraries.items():
            found[f"torch_{_figure(name)}"] = found.get(f"torch_{_figure(name)}", False) or "torch" in loaded
    return dict(sorted(found.items())) | others


def _figure(name: str) -> str:
    return name.replace(", ", "_").replace("-", "_")


def show(idle: Watch, load: Watch) -> None:
    """Print a row for each process, and one for all: MiB idle, then the most under load, and what it has loaded."""
    rows: list[list[object]] = []
    for name in dict.fromkeys([*idle.most, *load.most]):
        watches = [watch for watch in (idle, load) if name in watch.most]
        loaded = set[str]().union(*(watch.libraries[name] for watch in watches))
        shown = f"{name} ({max(watch.most[name]['processes'] for watch in watches)})"
        most = [watch.most.get(name, Counter()) for watch in (idle, load)]
        rows.append([shown, *(round(each[kind] / MIB) for each in most for kind in KINDS), ", ".join(sorted(loaded))])
    rows.append(["all", *(round(watch.total[kind] / MIB) for watch in (idle, load) for kind in KINDS), ""])
    headers = ["process", *(f"{when} {kind}" for when in ("idle", "load") for kind in KINDS), "loaded"]
    results.show(headers, rows, "MiB; under load the most that was seen, each on its own")


def main() -> None:
    """Measure, print and write."""
    options = results.options("bench-memory", __doc__)
    found = distinct(pictures.find(options.images))
    idle, load, others = measure(found)
    show(idle, load)
    settings = {"images": str(found.folder), "pictures": len(found.keys)}
    results.write("bench-memory", settings=settings, figures=figures(idle, load, others))


if __name__ == "__main__":
    main()
