"""Maps by openTSNE, as the map worker runs it, and by scikit-learn's TSNE, of the same vectors: `make bench-map`."""

from __future__ import annotations

import os

# As the map worker does: it is read when OpenMP is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sightline_search_gateway.exports import (
    FEWEST,
    NEIGHBOURS,
    Coordinates,
    Separation,
    centred,
    fit,
    fitting_perplexity,
    initial_coordinates,
    label_separation,
    nearest_neighbours,
    number_labels,
    scale_of,
)
from sightline_service import available_cores
from sklearn.manifold import TSNE

from benchmarks.harness import pictures, results
from benchmarks.harness.pictures import Vectors
from benchmarks.harness.ranking import Rows
from benchmarks.harness.results import COLORS
from benchmarks.harness.vectors import Growth

PERPLEXITY = 30.0
SIZES = "2000,10000,50000"


@dataclass(frozen=True)
class Layout:
    """What a library made of n vectors: (n, 2) places, in how many seconds, and the KL divergence that it gives."""

    places: Coordinates
    seconds: float
    kl_divergence: float


def by_sightline(vectors: Vectors, perplexity: float = PERPLEXITY) -> Layout:
    """Lay vectors out as the map worker does, neighbours and all."""
    began = time.perf_counter()
    neighbours = nearest_neighbours(vectors, int(3 * perplexity))
    start = initial_coordinates(vectors)
    laid = fit(start, neighbours, perplexity, threads=available_cores(), on_progress=lambda *_: None)
    return Layout(laid.coordinates, time.perf_counter() - began, laid.kl_divergence)


def by_sklearn(vectors: Vectors) -> Layout:
    """Lay vectors out by scikit-learn's TSNE as it comes."""
    began = time.perf_counter()
    tsne = TSNE(perplexity=PERPLEXITY, metric="cosine", init="pca", n_jobs=available_cores(), random_state=20)
    places = tsne.fit_transform(vectors)
    return Layout(places, time.perf_counter() - began, tsne.kl_divergence_)


@dataclass(frozen=True)
class Mapped:
    """A map: (n, 2) points as the page gets them, (n,) indices into `labels` or -1, and how well these separate."""

    xy: NDArray[Any]
    label: NDArray[np.int32]
    labels: list[str]
    separation: Separation | None
    layout: Layout

    def figures(self) -> dict[str, float]:
        """Return the figures by name."""
        found = {"pictures": len(self.xy), "seconds": self.layout.seconds, "kl_divergence": self.layout.kl_divergence}
        if self.separation is not None:
            found |= {"knn_agreement": self.separation["knn_agreement"], "silhouette": self.separation["silhouette"]}
        return found


def mapped(vectors: Vectors, names: list[str | None]) -> Mapped | None:
    """Lay (n, d) unit vectors out as the map worker does; None where they are too few for a map."""
    if len(vectors) < FEWEST:
        return None
    label, labels = number_labels(names)
    perplexity = fitting_perplexity(PERPLEXITY, len(vectors))
    layout = by_sightline(vectors, perplexity)
    nearest = nearest_neighbours(vectors, NEIGHBOURS).indices
    xy = centred(layout.places)
    separation = label_separation(vectors, np.arange(len(vectors)), nearest, label, labels)
    return Mapped(xy * scale_of(xy), label, labels, separation, layout)


def scatter(axes: Axes, found: Mapped) -> None:
    """Draw the points, a colour a class."""
    per_label = found.separation["per_label"] if found.separation else []
    agreement = {one["label"]: f": {one['knn_agreement']:.2f}" for one in per_label}
    for number, name in enumerate(found.labels):
        mine = found.xy[found.label == number]
        shown = f"{name} ({len(mine)}){agreement.get(name, '')}"
        axes.scatter(mine[:, 0], mine[:, 1], s=26, color=COLORS[number % len(COLORS)], alpha=0.8, label=shown)
    axes.set_aspect("equal")


def main() -> None:
    """Measure, print and write."""
    options = results.options("bench-map", __doc__, sizes=(results.sizes, SIZES))
    found = pictures.find(options.images)
    model = pictures.load()
    keys, both = pictures.embed_with(model, found, visual=True)
    grown = Growth(Rows.of(model, both).visual)
    rows: list[list[object]] = []
    figures: dict[str, float] = {}
    for size in options.sizes:
        results.say(f"{size:,}: openTSNE, then scikit-learn")
        vectors = grown.all(size)
        ours, theirs = by_sightline(vectors), by_sklearn(vectors)
        figures |= {f"seconds_{size}": ours.seconds, f"kl_{size}": ours.kl_divergence}
        figures |= {f"sklearn_seconds_{size}": theirs.seconds, f"sklearn_kl_{size}": theirs.kl_divergence}
        times = theirs.seconds / ours.seconds
        rows.append([size, ours.seconds, ours.kl_divergence, theirs.seconds, theirs.kl_divergence, times])
    results.show(["pictures", "openTSNE s", "KL", "scikit-learn s", "KL", "times faster"], rows)
    settings = {"images": str(found.folder), "pictures": len(keys), "perplexity": PERPLEXITY}
    results.write("bench-map", settings=settings, figures=figures)


if __name__ == "__main__":
    main()
