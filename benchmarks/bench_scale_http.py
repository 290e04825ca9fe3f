"""The whole search over HTTP in a million images: `make bench-scale-http POINTS=1000000`.

Over the database that `make bench-scale` has filled, the real gateway, encoder and database run as processes of their
own; the encoder's model is `embedded`, its vectors turned into the grown ones' space. Distinct texts are searched for,
so that the cache of queries never helps: by one client without clusters and with them, then by 8 and by 32 at once.
The whole time is the client's; `encode` and `search` are what the answer says; the rest is what is left: HTTP, JSON,
Python, and where they are asked for, clusters, names and graph.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from sightline_local.readiness import NotReady

from benchmarks.harness import pictures, results, searches
from benchmarks.harness.grown import FOLDER
from benchmarks.harness.searches import LIMIT, QUERIES, Run, SearchFailed
from benchmarks.harness.system import system

WARM_UP = 300
PLANS = {
    "1 client": ("1", 1, "a photo of a {}"),
    "1 client, clusters": ("1_clusters", 1, "a picture of a {}"),
    "8 clients": ("8", 8, "a drawing of a {}"),
    "32 clients": ("32", 32, "a close-up of a {}"),
}
"""By name, the end of figures' names, clients, and the form of the texts."""


def main() -> None:
    """Search, print, draw and write."""
    parser = argparse.ArgumentParser(prog="make bench-scale-http", description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000, help="a size that `make bench-scale` has filled")
    points = parser.parse_args().points
    if not (FOLDER / str(points) / "filling.json").is_file():
        sys.exit(f"there is no database of {points:,} images yet: run make bench-scale SIZES={points}")
    results.warn_if_busy()
    runs: dict[str, Run] = {}
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as temporary:
        folder = Path(temporary)
        (folder / "bucket").mkdir()
        services = system(
            folder / "bucket",
            folder / "state",
            settings={"EDGE_DATA_DIR": str(FOLDER / str(points) / "data")},
            # Nothing that would look at the bucket.
            only=("redis", "qdrant-edge", "encoder", "search-gateway"),
            instead={"encoder": ["-m", "benchmarks.harness.turned_encoder"]},
        )
        try:
            with services as running:
                port = running.stack.ports.gateway
                searches.search(port, pictures.texts("warm {}", count=WARM_UP), 1, clusters=True)
                for name, (_, clients, form) in PLANS.items():
                    results.say(name)
                    texts = pictures.texts(form, count=QUERIES)
                    runs[name] = searches.search(port, texts, clients, clusters="clusters" in name)
        except (NotReady, SearchFailed) as error:
            sys.exit(str(error))
    searches.show("bench-scale-http", f"GET /search over HTTP, {points:,} images, at p50", runs)
    figures: dict[str, float] = {}
    for name, run in runs.items():
        figures |= run.figures(f"_{PLANS[name][0]}") | {f"queries_per_second_{PLANS[name][0]}": run.rate}
    settings = {"points": points, "queries": QUERIES, "limit": LIMIT, "query_cache": "cold"}
    results.write("bench-scale-http", settings=settings, figures=figures)


if __name__ == "__main__":
    main()
