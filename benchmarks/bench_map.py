"""Maps: openTSNE beside scikit-learn's TSNE, and what a user waits for: `make bench-map SIZES=2000,10000`.

The vectors are the default model's, of the sample pictures or of a folder, grown to the sizes asked for: mixtures of
neighbours with a little noise. Both libraries get the same vectors, perplexity and threads and start from the two main
components; scikit-learn runs as it comes. The KL divergence of both is computed here, in one way, from exact neighbours
and all pairs. Then the map worker runs with a gateway, a vector database and Redis: when the first points of a map of
2,000 arrive over HTTP, and how long a map of 10,000 takes to take 100 new pictures in.
"""

from __future__ import annotations

import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from sightline_catalogue import Catalogue, CatalogueSettings, Collection, Image, ModelRef
from sightline_local.readiness import NotReady
from sightline_search_gateway import maps
from sightline_service import available_cores

from benchmarks.harness import layouts, pictures, results
from benchmarks.harness.growth import NEAR, NOISE, Vectors, mixtures
from benchmarks.harness.layouts import PERPLEXITY, Layout
from benchmarks.harness.processes import answers
from benchmarks.harness.system import System, system

SIZES = "2000,10000,50000"
FIRST, WHOLE, NEW = 2000, 10_000, 100
SERVICES = ("redis", "qdrant-edge", "map-worker", "search-gateway")
CATALOGUE_SECONDS = 6.0
"""For a moment the gateway believes that nothing came."""
LIBRARIES = ("openTSNE, as maps are made", "scikit-learn")


def add(collection: Collection, label: str, vectors: Vectors) -> None:
    """Put made-up pictures of a label into the catalogue."""
    now = datetime.now(UTC)
    common: dict[str, Any] = {"bucket": "main", "state": "indexed", "label": label, "folders": [label]}
    for number, part in enumerate(pictures.chunks(vectors, 500)):
        images = [
            Image(id=str(uuid.uuid4()), key=f"{label}/{number}-{row}.jpg", modified_at=now, indexed_at=now, **common)
            for row in range(len(part))
        ]
        collection.upsert(images, part)


def make(running: System, label: str, count: int) -> tuple[float, float]:
    """Return after how many seconds the first points of a map of a label came, and all of it was there."""
    wanted = {"labels": [label], "sample": count, "perplexity": PERPLEXITY}
    began = time.perf_counter()
    while (asked := running.http.post("/maps", json=wanted)).status_code == httpx.codes.SERVICE_UNAVAILABLE:
        time.sleep(0.5)
        began = time.perf_counter()
    address, first = f"/maps/{asked.raise_for_status().json()['id']}", 0.0
    while True:
        state = running.http.get(address, params={"points": not first}).raise_for_status().json()
        if not first and state["points"]:
            first = time.perf_counter() - began
        if state["state"] in ("failed", "cancelled"):
            raise NotReady(f"a map {state['state']}: {state['reason']}")
        if state["state"] == "done":
            return first, time.perf_counter() - began
        time.sleep(0.1)


def wait_as_users_do(real: Vectors) -> dict[str, float]:
    """Start what maps need and return by figure what a user waits for, in seconds."""
    first, whole, new = np.split(mixtures(real, FIRST + WHOLE + NEW, seed=2), [FIRST, FIRST + WHOLE])
    with tempfile.TemporaryDirectory(prefix="bench-map-") as temporary:
        folder = Path(temporary)
        (folder / "bucket").mkdir()
        services = system(
            folder / "bucket",
            folder / "state",
            only=SERVICES,
            ready=lambda stack: answers(f"{stack.url}/healthz"),
        )
        with services as running:
            settings = CatalogueSettings(url=f"http://{running.stack.qdrant_address}")
            catalogue = Catalogue(settings, "main")
            model = ModelRef(id="embedded", fingerprint="b" * 64, dimensions=real.shape[1])
            collection = catalogue.ensure_collection(model)
            catalogue.activate(collection)
            add(collection, "first", first)
            add(collection, "whole", whole)
            first_points, seconds = make(running, "first", FIRST)
            make(running, "whole", WHOLE + NEW)
            add(collection, "whole", new)
            time.sleep(CATALOGUE_SECONDS)
            _, placing = make(running, "whole", WHOLE + NEW)
    places, _ = layouts.by_product(whole)
    began = time.perf_counter()
    maps.transform(new, whole, places, PERPLEXITY, threads=available_cores())
    return {
        "first_points_seconds_2000": first_points,
        "http_seconds_2000": seconds,
        "http_placing_seconds_100_into_10000": placing,
        "placing_seconds_100_into_10000": time.perf_counter() - began,
    }


def compare(real: Vectors, size: int) -> tuple[Layout, ...]:
    """Return what openTSNE and scikit-learn make of so many vectors."""
    vectors = mixtures(real, size)
    results.say(f"{size:,}: openTSNE, then scikit-learn")
    return tuple(layouts.judged(vectors, [layouts.by_product(vectors), layouts.by_sklearn(vectors)]))


def main() -> None:
    """Measure, print, draw and write."""
    parser = results.command_line("bench-map", __doc__)
    parser.add_argument("--sizes", type=results.sizes, default=SIZES, help="how many vectors, separated by commas")
    options = parser.parse_args()
    results.warn_if_busy()
    found = pictures.find(options.images)
    keys, real = pictures.embed_by_default(found)
    measured = {size: compare(real, size) for size in options.sizes}
    rows: list[list[object]] = []
    figures: dict[str, float] = {}
    for size, (ours, theirs) in measured.items():
        figures |= {f"seconds_{size}": ours.seconds, f"kl_{size}": ours.kl_divergence}
        figures |= {f"sklearn_seconds_{size}": theirs.seconds, f"sklearn_kl_{size}": theirs.kl_divergence}
        times = theirs.seconds / ours.seconds
        rows.append([f"{size:,}", ours.seconds, ours.kl_divergence, theirs.seconds, theirs.kl_divergence, times])
    results.show(["pictures", "openTSNE s", "KL", "scikit-learn s", "KL", "times faster"], rows)
    try:
        figures |= wait_as_users_do(real)
    except NotReady as error:
        sys.exit(str(error))
    with results.picture("bench-map", "t-SNE: seconds by number of pictures", x="pictures", y="seconds") as axes:
        for number, name in enumerate(LIBRARIES):
            seconds = [layouts_[number].seconds for layouts_ in measured.values()]
            axes.plot(list(measured), seconds, marker="o", color=results.COLORS[number], label=name)
        axes.set_ylim(bottom=0)
    settings = {
        "images": str(found.folder),
        "pictures": len(keys),
        "dimensions": real.shape[1],
        "perplexity": PERPLEXITY,
        "iterations": maps.ITERATIONS,
        "sklearn_iterations": 1000,
        "threads": available_cores(),
        "grown": f"mixtures of a vector and 2 of its {NEAR} nearest, noise {NOISE} of their distance",
    }
    results.write("bench-map", settings=settings, figures=figures)


if __name__ == "__main__":
    main()
