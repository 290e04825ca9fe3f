"""Maps: `make bench-map SIZES=2000,10000`, and one of some classes as a picture, `make map-figure CLASSES=cat,dog`.

bench-map compares openTSNE with scikit-learn's TSNE. The vectors are the default model's, grown to the sizes asked for:
mixtures of neighbours with a little noise. Both libraries get the same vectors, perplexity and threads and start from
the two main components; scikit-learn runs as it comes. The KL divergence of both is computed here, in one way, from
exact neighbours and all pairs. Then the map worker runs with a gateway, a vector database and Redis: when the first
points of a map of 2,000 arrive over HTTP, and how long a map of 10,000 takes to take 100 new pictures in.

map-figure lays the first five classes of a folder whose folders are labels out as the map worker does it, like Figure 6
of the report. The figures of separation are of the vectors' own space, as `GET /maps/{id}` gives them.
"""

from __future__ import annotations

import os

# As the map worker does: it is read when OpenMP is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from openTSNE import affinity  # type: ignore[import-untyped]
from sightline_catalogue import Catalogue, CatalogueSettings, Collection, Image, ModelRef
from sightline_search_gateway import maps
from sightline_search_gateway.maps import Coordinates
from sightline_service import available_cores
from sklearn.manifold import TSNE

from benchmarks.harness import pictures, results
from benchmarks.harness.pictures import Vectors, chunks
from benchmarks.harness.results import COLORS, Failed
from benchmarks.harness.system import System, system
from benchmarks.harness.vectors import NEAR, NOISE, mixtures

PERPLEXITY = 30.0
ROWS = 2048
SIZES = "2000,10000,50000"
FIRST, WHOLE, NEW = 2000, 10_000, 100
SERVICES = ("redis", "qdrant-edge", "map-worker", "search-gateway")
CATALOGUE_SECONDS = 6.0
"""For a moment the gateway believes that nothing came."""
LIBRARIES = ("openTSNE, as maps are made", "scikit-learn")
CLASSES, SHOWN_PAIRS = 5, 5


@dataclass(frozen=True)
class Layout:
    """What one library made of n vectors: (n, 2) places, in how many seconds, and their KL divergence."""

    places: Coordinates
    seconds: float
    kl_divergence: float


def by_product(vectors: Vectors, perplexity: float = PERPLEXITY) -> tuple[Coordinates, float]:
    """Return the (n, 2) places that a map of Sightline has, and the seconds it took, neighbours and all."""
    began = time.perf_counter()
    neighbours = maps.nearest_neighbours(vectors, int(3 * perplexity))
    start = maps.initial_coordinates(vectors)
    laid = maps.fit(start, neighbours, perplexity, threads=available_cores(), on_progress=lambda *_: None)
    return laid.coordinates, time.perf_counter() - began


def by_sklearn(vectors: Vectors) -> tuple[Coordinates, float]:
    """Return the (n, 2) places of scikit-learn's TSNE as it comes, and the seconds it took."""
    began = time.perf_counter()
    tsne = TSNE(perplexity=PERPLEXITY, metric="cosine", init="pca", n_jobs=available_cores(), random_state=20)
    places = tsne.fit_transform(vectors)
    return np.asarray(places, dtype=np.float64), time.perf_counter() - began


def judged(vectors: Vectors, made: Sequence[tuple[Coordinates, float]], perplexity: float = PERPLEXITY) -> list[Layout]:
    """Return layouts of the same vectors, each with its KL divergence: exact, all pairs."""
    near = maps.nearest_neighbours(vectors, int(3 * perplexity))
    threads = available_cores()
    joint = affinity.joint_probabilities_nn(
        near.indices, near.distances, [perplexity], symmetrize=True, n_jobs=threads
    ).tocoo()
    kept = joint.data > 0
    rows, columns, p = joint.row[kept], joint.col[kept], np.asarray(joint.data[kept], dtype=np.float64)

    def kl_divergence(places: Coordinates) -> float:
        total = _all_pairs(places)
        squares = ((places[rows] - places[columns]) ** 2).sum(axis=1)
        return float((p * (np.log(p) + np.log1p(squares) + np.log(total))).sum())

    return [Layout(places, seconds, kl_divergence(places)) for places, seconds in made]


def _all_pairs(places: Coordinates) -> float:
    total = 0.0
    norms = (places**2).sum(axis=1)
    for begin in range(0, len(places), ROWS):
        block = slice(begin, begin + ROWS)
        squares = norms[block, None] + norms[None, :] - 2 * places[block] @ places.T
        total += float((1.0 / (1.0 + np.maximum(squares, 0.0))).sum())
    return total - len(places)


@dataclass(frozen=True)
class Mapped:
    """A map: (n, 2) points as the page gets them, (n,) indices into `labels` or -1, and how well these separate."""

    xy: NDArray[Any]
    label: NDArray[np.int32]
    labels: list[str]
    separation: dict[str, Any] | None
    layout: Layout

    def figures(self) -> dict[str, float]:
        """Return the figures by name."""
        found = {"pictures": len(self.xy), "seconds": self.layout.seconds, "kl_divergence": self.layout.kl_divergence}
        if self.separation is not None:
            found |= {name: self.separation[name] for name in ("knn_agreement", "silhouette")}
        return found


def mapped(vectors: Vectors, names: list[str | None]) -> Mapped | None:
    """Lay (n, d) unit vectors out as the map worker does; None where they are too few for a map."""
    if len(vectors) < maps.FEWEST:
        return None
    label, labels = maps.numbered(names)
    perplexity = maps.fitting_perplexity(PERPLEXITY, len(vectors))
    [layout] = judged(vectors, [by_product(vectors, perplexity)], perplexity)
    nearest = maps.nearest_neighbours(vectors, maps.NEIGHBOURS).indices
    xy = maps.centred(layout.places)
    separation = maps.label_separation(vectors, np.arange(len(vectors)), nearest, label, labels)
    return Mapped(xy * maps.scale_of(xy), label, labels, separation, layout)


def scatter(axes: Axes, found: Mapped) -> None:
    """Draw the points, a colour a class."""
    per_label = found.separation["per_label"] if found.separation else []
    agreement = {one["label"]: f": {one['knn_agreement']:.2f}" for one in per_label}
    for number, name in enumerate(found.labels):
        mine = found.xy[found.label == number]
        shown = f"{name} ({len(mine)}){agreement.get(name, '')}"
        axes.scatter(mine[:, 0], mine[:, 1], s=26, color=COLORS[number % len(COLORS)], alpha=0.8, label=shown)
    axes.set_aspect("equal")


def add(collection: Collection, label: str, vectors: Vectors) -> None:
    """Put made-up pictures of a label into the catalogue."""
    now = datetime.now(UTC)
    common: dict[str, Any] = {"bucket": "main", "state": "indexed", "label": label, "folders": [label]}
    for number, part in enumerate(chunks(vectors, 500)):
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
            raise Failed(f"a map {state['state']}: {state['reason']}")
        if state["state"] == "done":
            return first, time.perf_counter() - began
        time.sleep(0.1)


def wait_as_users_do(real: Vectors) -> dict[str, float]:
    """Start what maps need and return by figure what a user waits for, in seconds."""
    first, whole, new = np.split(mixtures(real, FIRST + WHOLE + NEW, seed=2), [FIRST, FIRST + WHOLE])
    with system(only=SERVICES) as running:
        catalogue = Catalogue(CatalogueSettings(url=f"http://{running.stack.qdrant_address}"), "main")
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
    places, _ = by_product(whole)
    began = time.perf_counter()
    maps.transform(new, whole, places, PERPLEXITY, threads=available_cores())
    return {
        "first_points_seconds_2000": first_points,
        "http_seconds_2000": seconds,
        "http_placing_seconds_100_into_10000": placing,
        "placing_seconds_100_into_10000": time.perf_counter() - began,
    }


def compare(real: Vectors, size: int) -> list[Layout]:
    """Return what openTSNE and scikit-learn make of so many vectors."""
    vectors = mixtures(real, size)
    results.say(f"{size:,}: openTSNE, then scikit-learn")
    return judged(vectors, [by_product(vectors), by_sklearn(vectors)])


def benchmark() -> None:
    """Measure, print, draw and write bench-map."""
    options = results.options("bench-map", __doc__, sizes=(results.sizes, SIZES))
    found = pictures.find(options.images)
    keys, real = pictures.embed_with(pictures.load(), found)
    measured = {size: compare(real, size) for size in options.sizes}
    rows: list[list[object]] = []
    figures: dict[str, float] = {}
    for size, (ours, theirs) in measured.items():
        figures |= {f"seconds_{size}": ours.seconds, f"kl_{size}": ours.kl_divergence}
        figures |= {f"sklearn_seconds_{size}": theirs.seconds, f"sklearn_kl_{size}": theirs.kl_divergence}
        times = theirs.seconds / ours.seconds
        rows.append([f"{size:,}", ours.seconds, ours.kl_divergence, theirs.seconds, theirs.kl_divergence, times])
    results.show(["pictures", "openTSNE s", "KL", "scikit-learn s", "KL", "times faster"], rows)
    figures |= wait_as_users_do(real)
    with results.picture("bench-map", "t-SNE: seconds by number of pictures", x="pictures", y="seconds") as axes:
        for number, name in enumerate(LIBRARIES):
            seconds = [layouts[number].seconds for layouts in measured.values()]
            axes.plot(list(measured), seconds, marker="o", color=COLORS[number], label=name)
        axes.set_ylim(bottom=0)
    settings = {
        "images": str(found.folder),
        "pictures": len(keys),
        "dimensions": real.shape[1],
        "perplexity": PERPLEXITY,
        "iterations": maps.ITERATIONS,
        "threads": available_cores(),
        "grown": f"mixtures of a vector and 2 of its {NEAR} nearest, noise {NOISE} of their distance",
    }
    results.write("bench-map", settings=settings, figures=figures)


def chosen(found: pictures.Collection, classes: str | None) -> pictures.Collection:
    """Return the pictures of the classes named, or of the first five by name."""
    labels = sorted({label for key in found.keys if (label := found.label(key))}, key=str.casefold)
    wanted = classes.split(",") if classes else labels[:CLASSES]
    if missing := [one for one in wanted if one not in labels]:
        raise Failed(f"{found.folder} has no folder {missing[0]}")
    return replace(found, keys=[key for key in found.keys if found.label(key) in wanted])


def figure() -> None:
    """Lay out, judge, print, draw and write map-figure."""
    options = results.options("map-figure", __doc__, "a folder whose folders are labels", classes=(str, None))
    found = chosen(pictures.find(options.images), options.classes)
    keys, vectors = pictures.embed_with(pictures.load(), found)
    laid = mapped(vectors, [found.label(key) for key in keys])
    if laid is None:
        raise Failed(f"{len(keys)} pictures are too few for a map; it takes {maps.FEWEST}")
    target = f"map-figure-{found.name}"
    with results.picture(target, f"t-SNE of {len(laid.labels)} classes of {found.name}", height=6, grid=None) as axes:
        scatter(axes, laid)
    if laid.separation is not None:
        rows = [[one["label"], one["count"], one["knn_agreement"]] for one in laid.separation["per_label"]]
        results.show(["class", "pictures", f"of {maps.NEIGHBOURS} nearest, its own"], rows)
        for pair in laid.separation["confused"][:SHOWN_PAIRS]:
            print(f"{pair['share']:.1%} of the neighbours of {pair['a']} are {pair['b']}")
    settings = {"images": str(found.folder), "classes": laid.labels, "iterations": maps.ITERATIONS}
    results.write(target, settings=settings, figures=laid.figures(), separation=laid.separation)


if __name__ == "__main__":
    if "--figure" in sys.argv:
        sys.argv.remove("--figure")
        figure()
    else:
        benchmark()
