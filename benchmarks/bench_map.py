"""Maps: openTSNE beside scikit-learn's TSNE, and what a user waits for: `make bench-map SIZES=2000,10000`.

The vectors are the default model's, of the sample pictures or of a folder, grown to the sizes asked for: mixtures of
neighbours with a little noise (`layouts.grow`). Both libraries get the same vectors, perplexity and threads and start
from the two main components; scikit-learn runs as it comes. The KL divergence of both is computed here, in one way,
from exact neighbours and all pairs. Then the map worker runs with a gateway, a vector database and Redis: when the
first points of a map of 2,000 arrive over HTTP, and how long a map of 10,000 takes to take 100 new pictures in.
"""

from __future__ import annotations

import os

# As the map worker does: it is read when OpenMP is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
from sightline_catalogue import Catalogue, CatalogueSettings, Collection, Image, ModelRef
from sightline_local.readiness import NotReady
from sightline_local.stack import Stack, choose_ports
from sightline_local.supervisor import Supervisor
from sightline_search_gateway.maps import layout
from sightline_service import available_cores

from benchmarks import collection, growth, layouts, report
from benchmarks.layouts import Layout, Vectors

PERPLEXITY = 30.0
SIZES = (2000, 10_000, 50_000)
FIRST, WHOLE, NEW = 2000, 10_000, 100
WAIT_SECONDS = 300.0
SERVICES = ("redis", "qdrant-edge", "map-worker", "search-gateway")


@dataclass(frozen=True)
class Waits:
    """What a user of a running system waits for, in seconds."""

    first_points: float
    whole_2000: float
    placing: float
    placing_alone: float


class Running:
    """A system of which only what maps need is running, over vectors that were made up."""

    def __init__(self, stack: Stack) -> None:
        self._http = httpx.Client(base_url=f"{stack.url}/api/v1", timeout=WAIT_SECONDS)
        catalogue = Catalogue(CatalogueSettings(url=f"http://{stack.qdrant_address}"), "main")
        self._collection = self._ensure(catalogue)

    def add(self, label: str, vectors: Vectors) -> None:
        """Put pictures of a label into the catalogue."""
        now = datetime.now(UTC)
        for rows in collection.chunks(list(range(len(vectors))), 500):
            images = [
                Image(
                    id=str(uuid.uuid4()),
                    bucket="main",
                    key=f"{label}/{row}.jpg",
                    state="indexed",
                    label=label,
                    folders=[label],
                    modified_at=now,
                    indexed_at=datetime.now(UTC),
                )
                for row in rows
            ]
            self._collection.upsert(images, vectors[rows])

    def make(self, label: str, count: int) -> tuple[float, float]:
        """Return after how many seconds the first points of a map of a label came, and all of it was there."""
        began = time.perf_counter()
        while (asked := self._ask(label, count)).status_code == httpx.codes.SERVICE_UNAVAILABLE:
            time.sleep(0.5)
            began = time.perf_counter()
        asked.raise_for_status()
        address, first = f"/maps/{asked.json()['id']}", 0.0
        while True:
            state = self._http.get(address, params={"points": not first}).raise_for_status().json()
            if not first and state["points"]:
                first = time.perf_counter() - began
            if state["state"] in ("failed", "cancelled"):
                raise NotReady(f"a map {state['state']}: {state['reason']}")
            if state["state"] == "done":
                break
            time.sleep(0.1)
        return first, time.perf_counter() - began

    def close(self) -> None:
        """Close the client."""
        self._http.close()

    def _ask(self, label: str, count: int) -> httpx.Response:
        return self._http.post("/maps", json={"labels": [label], "sample": count, "perplexity": PERPLEXITY})

    @staticmethod
    def _ensure(catalogue: Catalogue) -> Collection:
        made = catalogue.ensure_collection(ModelRef(id="embedded", fingerprint="b" * 64, dimensions=DIMENSIONS[0]))
        catalogue.activate(made)
        return made


DIMENSIONS: list[int] = []
"""Of the vectors, once they are known."""


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """Run what maps need until the block ends.

    Raises:
        NotReady: It does not come up.
    """
    bucket = folder / "bucket"
    bucket.mkdir()
    stack = Stack(bucket=bucket, state=folder / "state", models=collection.MODELS, ports=choose_ports())
    stack.make_folders()
    with Supervisor([one for one in stack.services() if one.name in SERVICES], stack.logs):
        deadline = time.monotonic() + WAIT_SECONDS
        while not _answers(f"{stack.url}/healthz"):
            if time.monotonic() > deadline:
                raise NotReady(f"the gateway does not answer; its log is in {stack.logs}")
            time.sleep(0.2)
        system = Running(stack)
        try:
            yield system
        finally:
            system.close()


def compare(real: Vectors, size: int, threads: int, *, with_sklearn: bool) -> tuple[Layout, Layout | None]:
    """Return what openTSNE and scikit-learn make of so many vectors."""
    vectors = layouts.grow(real, size)
    against = layouts.probabilities(vectors, PERPLEXITY, threads)
    print(f"{size:,}: openTSNE", file=sys.stderr, flush=True)
    ours = layouts.judged(vectors, PERPLEXITY, layouts.by_product(vectors, PERPLEXITY, threads), against)
    if not with_sklearn:
        return ours, None
    print(f"{size:,}: scikit-learn", file=sys.stderr, flush=True)
    theirs = layouts.by_sklearn(vectors, PERPLEXITY, threads)
    return ours, layouts.judged(vectors, PERPLEXITY, theirs, against)


def wait_as_users_do(real: Vectors, threads: int) -> Waits:
    """Start what maps need and measure what a user waits for."""
    vectors = layouts.grow(real, FIRST + WHOLE + NEW, seed=2)
    first, whole, new = np.split(vectors, [FIRST, FIRST + WHOLE])
    with tempfile.TemporaryDirectory(prefix="bench-map-") as folder, running(Path(folder)) as system:
        system.add("first", first)
        system.add("whole", whole)
        first_points, seconds = system.make("first", FIRST)
        system.make("whole", WHOLE + NEW)
        system.add("whole", new)
        # For a moment the gateway believes that nothing came.
        time.sleep(6)
        _, placing = system.make("whole", WHOLE + NEW)
    made = layouts.by_product(whole, PERPLEXITY, threads)[0]
    began = time.perf_counter()
    layout.place(new, whole, made, PERPLEXITY, threads=threads)
    return Waits(first_points, seconds, placing, time.perf_counter() - began)


def draw(measured: dict[int, tuple[Layout, Layout | None]]) -> None:
    """Draw the seconds of both libraries by size."""
    sizes = sorted(measured)
    with report.picture("bench-map", "t-SNE: seconds by number of pictures", height=3.5) as axes:
        for number, name in enumerate(("openTSNE, as maps are made", "scikit-learn")):
            points = [(size, found.seconds) for size in sizes if (found := measured[size][number]) is not None]
            axes.plot(*zip(*points, strict=True), marker="o", color=report.COLORS[number], label=name)
        axes.set_xlabel("pictures")
        axes.set_ylabel("seconds")
        axes.set_ylim(bottom=0)
        axes.grid(color=report.GRID, linewidth=0.5)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted({int(size) for size in text.split(",")}))


def main() -> None:
    """Measure, print, draw and write."""
    parser = argparse.ArgumentParser(prog="make bench-map", description=__doc__)
    parser.add_argument("--images", help="a folder of pictures (default: the sample pictures)")
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="how many vectors, separated by commas")
    parser.add_argument("--no-sklearn", action="store_true", help="openTSNE alone")
    parser.add_argument("--no-services", action="store_true", help="the libraries alone")
    options = parser.parse_args()
    report.warn_if_busy()
    threads = available_cores()
    pictures = collection.find(options.images)
    keys, real = layouts.real_vectors(pictures)
    DIMENSIONS.append(real.shape[1])
    measured = {size: compare(real, size, threads, with_sklearn=not options.no_sklearn) for size in options.sizes}
    rows: list[list[object]] = []
    figures: dict[str, float] = {}
    for size, (ours, theirs) in measured.items():
        figures |= {f"seconds_{size}": ours.seconds, f"kl_{size}": ours.kl_divergence}
        row: list[object] = [f"{size:,}", ours.seconds, ours.kl_divergence, "", "", ""]
        if theirs is not None:
            figures |= {f"sklearn_seconds_{size}": theirs.seconds, f"sklearn_kl_{size}": theirs.kl_divergence}
            row[3:] = [theirs.seconds, theirs.kl_divergence, theirs.seconds / ours.seconds]
        rows.append(row)
    print(report.table(["pictures", "openTSNE s", "KL", "scikit-learn s", "KL", "times faster"], rows), end="\n\n")
    if not options.no_services:
        try:
            waits = wait_as_users_do(real, threads)
        except NotReady as error:
            sys.exit(str(error))
        figures |= {
            "first_points_seconds_2000": waits.first_points,
            "http_seconds_2000": waits.whole_2000,
            "http_placing_seconds_100_into_10000": waits.placing,
            "placing_seconds_100_into_10000": waits.placing_alone,
        }
    draw(measured)
    settings = {
        "images": str(pictures.folder),
        "pictures": len(keys),
        "dimensions": real.shape[1],
        "perplexity": PERPLEXITY,
        "iterations": layout.ITERATIONS,
        "sklearn_iterations": 1000,
        "threads": threads,
        "grown": f"mixtures of a vector and 2 of its {growth.NEAR} nearest, noise {growth.NOISE} of their distance",
    }
    report.write("bench-map", settings=settings, figures=figures)


if __name__ == "__main__":
    main()
