"""Layouts of vectors, and how good they are: what the benchmarks of maps have in common."""

from __future__ import annotations

import os

# As the map worker does: it is read when OpenMP is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from openTSNE import affinity  # type: ignore[import-untyped]
from sightline_search_gateway import maps
from sightline_search_gateway.maps import Coordinates
from sightline_service import available_cores
from sklearn.manifold import TSNE

from benchmarks.harness.growth import Vectors
from benchmarks.harness.results import COLORS

PERPLEXITY = 30.0
ROWS = 2048


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
    threads = available_cores()
    tsne = TSNE(perplexity=PERPLEXITY, metric="cosine", init="pca", n_jobs=threads, random_state=20)
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
    """A map of n pictures, and how well its labels separate.

    Attributes:
        xy: (n, 2), as the page gets them.
        label: (n,), index into `labels`; -1 for none.
        separation: As `GET /maps/{id}` gives it; None with fewer than two labels of two pictures.
    """

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
    """Lay (n, d) unit vectors out as the map worker does, and judge how well they separate by their labels' names.

    None where they are too few for a map.
    """
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
