"""A large archive: listing, unchanged rescans, memory before and after: `make bench-listing FILES=100000 RESCANS=20`.

Small drawn pictures, no two of equal bytes, come into an empty bucket all at once. The listing's time is until all are
known, whatever is indexed by then. Then all are indexed, and the bucket is scanned again and again.
"""

from __future__ import annotations

import time
from datetime import datetime
from statistics import median

from benchmarks.harness import drawn, results
from benchmarks.harness.results import say
from benchmarks.harness.system import System, system
from benchmarks.memory import MIB, held

PARTS = {"watcher": "watcher", "worker": "ingest-worker", "gateway": "search-gateway"}
"""Services by the names that the figures have."""
SETTLE_SECONDS = 10.0
POLL_SECONDS = 0.05


def memory(running: System) -> dict[str, float]:
    """Return the MiB that each part holds, its processes together, what they share divided."""
    time.sleep(SETTLE_SECONDS)
    found = running.processes()
    return {part: held(found[service])["pss"] / MIB for part, service in PARTS.items()}


def scanned_at(running: System) -> datetime | None:
    """Return when the last scan ended."""
    text = running.http.get("/ingest").raise_for_status().json()["last_scan_at"]
    return datetime.fromisoformat(text) if text else None


def rescan(running: System) -> float:
    """Return the seconds from asking for a scan to its end."""
    before = scanned_at(running)
    began = time.perf_counter()
    running.rescan()
    while scanned_at(running) == before:
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - began


def main() -> None:
    """Fill, list, index, scan, print and write."""
    options = results.options("bench-listing", __doc__, files=(int, 100_000), rescans=(int, 20))
    with system(settings={"WATCHER_EVENTS": "off", "WATCHER_SCAN_SECONDS": "3600"}) as running:
        staged = running.stack.bucket.with_name("staged")
        say(f"drawing {options.files:,} pictures")
        drawn.fill(staged, options.files)
        empty = memory(running)
        say("listing them")
        began = time.perf_counter()
        staged.rename(running.stack.bucket / "pictures")
        running.rescan()
        running.wait(lambda state: state.known == options.files)
        listed = time.perf_counter() - began
        say(f"{listed:.1f} s; indexing them")
        state = running.wait(lambda state: state.known == options.files and state.finished)
        indexed = time.perf_counter() - began
        filled = memory(running)
        say(f"{indexed:.0f} s; scanning {options.rescans} times")
        # The first scans warm up what every later one needs: only from then on, growth would be the scans' own.
        few = options.rescans // 4
        times = [rescan(running) for _ in range(few)]
        warm = memory(running)
        times += [rescan(running) for _ in range(options.rescans - few)]
        scanned = memory(running)
    found = {"empty": empty, "indexed": filled, "warm": warm, "scanned": scanned}
    rows = [[part, *(one[part] for one in found.values())] for part in PARTS]
    results.show(["MiB", "empty", "indexed", f"after {few} scans", f"after {options.rescans} scans"], rows)
    figures = {
        "listing_seconds": listed,
        "indexing_seconds": indexed,
        "failed": state.failed,
        "rescan_seconds_p50": median(times),
        "rescan_seconds_max": max(times),
    }
    for when, values in found.items():
        figures |= {f"{part}_mib_{when}": value for part, value in values.items()}
    results.show(["", "seconds"], [[name, value] for name, value in figures.items() if "seconds" in name])
    results.write("bench-listing", settings={"files": options.files, "rescans": options.rescans}, figures=figures)


if __name__ == "__main__":
    main()
