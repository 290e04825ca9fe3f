"""The whole search over HTTP in a million images: `make bench-scale-http POINTS=1000000`.

Over the database that `make bench-scale` has filled, the real gateway, encoder and database run as processes of their
own; the encoder's model is `embedded`, its vectors turned into the grown ones' space. Distinct texts are searched for,
so that the cache of queries never helps: by one client without clusters and with them, then by 8 and by 32 at once.
The whole time is the client's; `encode` and `search` are what the answer says; the rest is what is left: HTTP, JSON,
Python, and where they are asked for, clusters, names and graph.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sightline_local.readiness import NotReady, wait_until_ready
from sightline_local.stack import ROOT, Service, Stack, choose_ports
from sightline_local.supervisor import Supervisor

from benchmarks import collection, report, scale
from benchmarks.bench_search import LIMIT, QUERIES, STEPS, Run, SearchFailed, queries, search

POINTS = 1_000_000
WARM_UP = 300
PLANS = (
    ("1 client", 1, False, "a photo of a {}"),
    ("1 client, clusters", 1, True, "a picture of a {}"),
    ("8 clients", 8, False, "a drawing of a {}"),
    ("32 clients", 32, False, "a close-up of a {}"),
)
"""Name, clients, whether clusters are asked for, and the form of the texts."""


@contextmanager
def gateway_over(database: Path, state: Path) -> Iterator[Stack]:
    """Run gateway, encoder, database and queue until the block ends; nothing that would look at a bucket.

    Raises:
        NotReady: They do not come up.
    """
    stack = Stack(
        bucket=state / "bucket",
        state=state,
        models=collection.MODELS,
        ports=choose_ports(),
        settings={"EDGE_DATA_DIR": str(database.resolve()), "PYTHONPATH": os.fspath(ROOT)},
    )
    stack.make_folders()
    stack.bucket.mkdir()
    services = {service.name: service for service in stack.services()}
    encoder = Service("encoder", [sys.executable, "-m", "benchmarks.scale_encoder"], stack.environment())
    chosen = [services["redis"], services["qdrant-edge"], encoder, services["search-gateway"]]
    with Supervisor(chosen, stack.logs) as supervisor:
        wait_until_ready(stack, supervisor)
        yield stack


def main() -> None:
    """Search, print, draw and write."""
    parser = argparse.ArgumentParser(prog="make bench-scale-http", description=__doc__)
    parser.add_argument("--points", type=int, default=POINTS, help="a size that `make bench-scale` has filled")
    options = parser.parse_args()
    folder = scale.FOLDER / str(options.points)
    if not (folder / "filling.json").is_file():
        sys.exit(f"there is no database of {options.points:,} images yet: run make bench-scale SIZES={options.points}")
    report.warn_if_busy()
    runs: dict[str, Run] = {}
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as temporary:
        try:
            with gateway_over(folder / "data", Path(temporary) / "state") as stack:
                search(stack.ports.gateway, queries("warm {}", WARM_UP), 1, clusters=True)
                for name, clients, clusters, form in PLANS:
                    print(name, file=sys.stderr)
                    runs[name] = search(stack.ports.gateway, queries(form), clients, clusters=clusters)
        except (NotReady, SearchFailed) as error:
            sys.exit(str(error))
    show(options.points, runs)
    figures: dict[str, float] = {}
    for name, run in runs.items():
        end = name.replace(",", "").replace(" ", "_").replace("clients", "").replace("client", "").replace("__", "_")
        end = end.strip("_")
        figures |= {f"{step}_p{p}_ms_{end}": run.percentile(step, p) for step in STEPS for p in (50, 99)}
        figures[f"queries_per_second_{end}"] = run.rate
    settings = {"points": options.points, "queries": QUERIES, "limit": LIMIT, "query_cache": "cold"}
    report.write("bench-scale-http", settings=settings, figures=figures)


def show(points: int, runs: dict[str, Run]) -> None:
    """Print the table and draw it."""
    headers = ["milliseconds", "searches/s", *(f"{step} p{percent}" for step in STEPS for percent in (50, 99))]
    rows = [
        [name, run.rate, *(run.percentile(step, percent) for step in STEPS for percent in (50, 99))]
        for name, run in runs.items()
    ]
    print(report.table(headers, rows), end="\n\n")
    title = f"GET /search over HTTP, {points:,} images, at p50"
    with report.picture("bench-scale-http", title, width=7, height=3.5) as axes:
        left = [0.0] * len(runs)
        for number, step in enumerate(STEPS[1:]):
            widths = [run.percentile(step, 50) for run in runs.values()]
            axes.barh(range(len(runs)), widths, 0.5, left=left, color=report.COLORS[number], label=step)
            left = [a + b for a, b in zip(left, widths, strict=True)]
        axes.set_yticks(range(len(runs)), list(runs))
        axes.invert_yaxis()
        axes.set_xlabel("milliseconds", fontsize=8)
        axes.grid(axis="x", color=report.GRID, linewidth=0.5)


if __name__ == "__main__":
    main()
