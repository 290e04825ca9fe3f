"""A map of some classes as a picture, with how well they separate: `make map-figure IMAGES=FOLDER CLASSES=cat,dog`.

Like Figure 6 of the report: the first five classes of a folder whose folders are labels, laid out as the map worker
does it. The figures of separation are of the vectors' own space, as `GET /maps/{id}` gives them.
"""

from __future__ import annotations

import os

# As the map worker does: it is read when OpenMP is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sightline_search_gateway.maps import layout
from sightline_search_gateway.maps.neighbours import nearest_neighbours
from sightline_search_gateway.maps.points import centred, scale_of
from sightline_search_gateway.maps.request import FEWEST, fitting_perplexity
from sightline_search_gateway.maps.selection import numbered
from sightline_search_gateway.maps.separation import NEIGHBOURS, label_separation
from sightline_service import available_cores

from benchmarks import collection, layouts, report
from benchmarks.collection import Collection

CLASSES = 5
PERPLEXITY = 30.0
COLORS = (*report.COLORS[:3], "#dc2626", "#7c3aed", "#0891b2", "#db2777", "#65a30d", "#92400e", "#475569")
SHOWN_PAIRS = 5


def chosen(pictures: Collection, classes: str | None) -> Collection:
    """Return the pictures of the classes named, or of the first five by name.

    Exits with one line on stderr where there are too few.
    """
    labels = sorted({label for key in pictures.keys if (label := pictures.label(key))}, key=str.casefold)
    wanted = classes.split(",") if classes else labels[:CLASSES]
    if missing := [one for one in wanted if one not in labels]:
        sys.exit(f"{pictures.folder} has no folder {missing[0]}")
    keys = [key for key in pictures.keys if pictures.label(key) in wanted]
    if len(keys) < FEWEST:
        sys.exit(f"{len(keys)} pictures are too few for a map; it takes {FEWEST}")
    return dataclasses.replace(pictures, keys=keys)


@dataclass(frozen=True)
class Mapped:
    """A map of n pictures, and how well its labels separate.

    Attributes:
        xy: (n, 2), as the page gets them.
        label: (n,), index into `labels`; -1 for none.
        separation: As `GET /maps/{id}` gives it; None with fewer than two labels of two pictures.
        seconds: That the layout took.
    """

    xy: NDArray[Any]
    label: NDArray[np.int32]
    labels: list[str]
    separation: dict[str, Any] | None
    perplexity: float
    kl_divergence: float
    seconds: float

    def figures(self) -> dict[str, float]:
        """Return the figures by name."""
        found = {"pictures": len(self.xy), "seconds": self.seconds, "kl_divergence": self.kl_divergence}
        if self.separation is not None:
            found |= {name: self.separation[name] for name in ("knn_agreement", "silhouette")}
        return found


def lay_out(vectors: layouts.Vectors, names: list[str | None], perplexity: float = PERPLEXITY) -> Mapped:
    """Lay (n, d) unit vectors out as the map worker does, and judge how well they separate by their labels' names."""
    label, labels = numbered(names)
    threads = available_cores()
    perplexity = fitting_perplexity(perplexity, len(vectors))
    places, seconds = layouts.by_product(vectors, perplexity, threads)
    nearest = nearest_neighbours(vectors, NEIGHBOURS).indices
    xy = centred(places)
    return Mapped(
        xy=xy * scale_of(xy),
        label=label,
        labels=labels,
        separation=label_separation(vectors, np.arange(len(vectors)), nearest, label, labels),
        perplexity=perplexity,
        kl_divergence=layouts.kl_divergence(layouts.probabilities(vectors, perplexity, threads), places),
        seconds=seconds,
    )


def scatter(axes: Axes, mapped: Mapped, colors: Sequence[str] = COLORS) -> None:
    """Draw the points, a colour a class."""
    found = mapped.separation
    agreement = {one["label"]: one["knn_agreement"] for one in found["per_label"]} if found else {}
    for number, one in enumerate(mapped.labels):
        mine = mapped.xy[mapped.label == number]
        shown = f"{one} ({len(mine)})" + (f": {agreement[one]:.2f}" if one in agreement else "")
        axes.scatter(mine[:, 0], mine[:, 1], s=26, color=colors[number % len(colors)], alpha=0.8, label=shown)
    axes.set_aspect("equal")
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])


def main() -> None:
    """Lay out, judge, print, draw and write."""
    parser = argparse.ArgumentParser(prog="make map-figure", description=__doc__)
    parser.add_argument("--images", help="a folder whose folders are labels (default: the sample pictures)")
    parser.add_argument("--classes", help="names of folders, separated by commas (default: the first five)")
    parser.add_argument("--perplexity", type=float, default=PERPLEXITY)
    options = parser.parse_args()
    pictures = chosen(collection.find(options.images), options.classes)
    keys, vectors = layouts.real_vectors(pictures)
    mapped = lay_out(vectors, [pictures.label(key) for key in keys], options.perplexity)
    found = mapped.separation
    title = f"t-SNE of {len(mapped.labels)} classes of {pictures.name}"
    with report.picture(f"map-figure-{pictures.name}", title, width=7, height=6) as axes:
        scatter(axes, mapped)
    if found is not None:
        rows = [[one["label"], one["count"], one["knn_agreement"]] for one in found["per_label"]]
        print(report.table(["class", "pictures", f"of {NEIGHBOURS} nearest, its own"], rows), end="\n\n")
        for pair in found["confused"][:SHOWN_PAIRS]:
            print(f"{pair['share']:.1%} of the neighbours of {pair['a']} are {pair['b']}")
    settings = {
        "images": str(pictures.folder),
        "classes": mapped.labels,
        "perplexity": mapped.perplexity,
        "iterations": layout.ITERATIONS,
    }
    report.write(f"map-figure-{pictures.name}", settings=settings, figures=mapped.figures(), separation=found)


if __name__ == "__main__":
    main()
