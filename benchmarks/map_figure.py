"""A map of some classes as a picture, with how well they separate: `make map-figure IMAGES=FOLDER CLASSES=cat,dog`.

Like Figure 6 of the report: the first five classes of a folder whose folders are labels, laid out as the map worker
does it. The figures of separation are of the vectors' own space, as `GET /maps/{id}` gives them.
"""

from __future__ import annotations

import dataclasses
import sys

from sightline_search_gateway import maps

from benchmarks.harness import layouts, pictures, results
from benchmarks.harness.pictures import Collection

CLASSES = 5
SHOWN_PAIRS = 5


def chosen(found: Collection, classes: str | None) -> Collection:
    """Return the pictures of the classes named, or of the first five by name.

    Exits with one line on stderr where there is no such class.
    """
    labels = sorted({label for key in found.keys if (label := found.label(key))}, key=str.casefold)
    wanted = classes.split(",") if classes else labels[:CLASSES]
    if missing := [one for one in wanted if one not in labels]:
        sys.exit(f"{found.folder} has no folder {missing[0]}")
    return dataclasses.replace(found, keys=[key for key in found.keys if found.label(key) in wanted])


def main() -> None:
    """Lay out, judge, print, draw and write."""
    parser = results.command_line("map-figure", __doc__, "a folder whose folders are labels")
    parser.add_argument("--classes", help="names of folders, separated by commas (default: the first five)")
    options = parser.parse_args()
    found = chosen(pictures.find(options.images), options.classes)
    keys, vectors = pictures.embed_by_default(found)
    mapped = layouts.mapped(vectors, [found.label(key) for key in keys])
    if mapped is None:
        sys.exit(f"{len(keys)} pictures are too few for a map; it takes {maps.FEWEST}")
    target = f"map-figure-{found.name}"
    with results.picture(target, f"t-SNE of {len(mapped.labels)} classes of {found.name}", height=6, grid=None) as axes:
        layouts.scatter(axes, mapped)
    if mapped.separation is not None:
        rows = [[one["label"], one["count"], one["knn_agreement"]] for one in mapped.separation["per_label"]]
        results.show(["class", "pictures", f"of {maps.NEIGHBOURS} nearest, its own"], rows)
        for pair in mapped.separation["confused"][:SHOWN_PAIRS]:
            print(f"{pair['share']:.1%} of the neighbours of {pair['a']} are {pair['b']}")
    settings = {"images": str(found.folder), "classes": mapped.labels, "iterations": maps.ITERATIONS}
    results.write(target, settings=settings, figures=mapped.figures(), separation=mapped.separation)


if __name__ == "__main__":
    main()
