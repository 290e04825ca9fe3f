"""The fifty nearest of ten thousand to a million images: `make bench-scale SIZES=10000,100000,1000000 IMAGES=FOLDER`.

For each size a database is filled through the catalogue, once, and kept under data/benchmarks (`REBUILD=1` makes it
anew). It is then searched in two ways, with the catalogue's defaults: by the catalogue's call as the gateway makes it,
over gRPC with payload and vectors; and, the server stopped, by its engine in this process, ids and payload. 4,000
searches go before the 1,000 that count; the first 200 of these stand beside. No query is among the images, and none
comes twice. Recall is the share of the exact fifty nearest that are found, exact by comparing with every vector.

Beside them in the same run: an exact product by numpy, FAISS flat, FAISS HNSW at no less recall (up to FAISS_LARGEST),
and qdrant-client's local mode (up to LOCAL_LARGEST). At the largest size, recall and time for other settings of a
search, and for searches that a filter narrows; at 100,000, for other graphs and without quantization.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import CatalogueSettings
from sightline_catalogue.schema import HNSW_EF_CONSTRUCT, HNSW_M

from benchmarks import collection, report, scale, scale_curves, scale_engines
from benchmarks.growth import Growth, intrinsic_dimension, turned
from benchmarks.layouts import real_vectors
from benchmarks.scale import DIMENSIONS, Filling, ScaleFailed, image, recall
from benchmarks.scale_engines import DEPTH, Queries, by_catalogue, numbers_of, percentiles, timed

SIZES = (10_000, 100_000, 1_000_000)
QUERY_SEED = 99
BEFORE, COUNTED, FIRST, SLOW = 4000, 1000, 200, 100
FAISS_LARGEST, LOCAL_LARGEST = 100_000, 20_000
DIMENSION_SAMPLE = 2000


@dataclass
class Timing:
    """Times of one way to search, and its recall.

    Attributes:
        milliseconds: (n,) of the searches that count.
        first: (m,) of the first searches after a start; empty where that means nothing.
        recall: Of the fifty nearest.
    """

    milliseconds: NDArray[np.float64]
    recall: float
    first: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def row(self) -> list[float]:
        """Return p50, p99 and recall, and p50 and p99 of the first."""
        cells = [*np.percentile(self.milliseconds, (50, 99)), self.recall]
        return [float(cell) for cell in cells] + [float(x) for x in percentiles(self.first)]


@dataclass
class Size:
    """All that was measured at one size."""

    filling: Filling
    dimension: float
    anonymous_mb: float = 0.0
    ways: dict[str, Timing] = field(default_factory=dict)

    @property
    def seconds(self) -> tuple[float, float]:
        """Of inserting, and of building the index."""
        return self.filling.insert_seconds, self.filling.index_seconds


def measure_database(size: Size, queries: Queries, exact: NDArray[np.int64]) -> None:
    """Search by the catalogue, then by the engine in this process."""
    points = size.filling.points
    with scale.database(points) as server:
        ask = by_catalogue(server.collection())
        first, _ = timed(ask, queries.before[:FIRST])
        timed(ask, queries.before[FIRST:])
        milliseconds, found = timed(ask, queries.counted)
        size.anonymous_mb = server.anonymous_mb()
        size.ways["catalogue"] = Timing(milliseconds, recall([numbers_of(one) for one in found], exact), first)
        folder = server.shard_folder()
    numbers = {UUID(image(number).id): number for number in np.unique(exact).tolist()}
    with scale_engines.shard(folder) as opened:
        settings = CatalogueSettings()
        first, _ = scale_engines.timed_engine(opened, scale_engines.engine_requests(queries.before[:FIRST], settings))
        scale_engines.timed_engine(opened, scale_engines.engine_requests(queries.before[FIRST:], settings))
        milliseconds, ids = scale_engines.timed_engine(opened, scale_engines.engine_requests(queries.counted, settings))
    # An id that is among no query's exact nearest is none of the nearest.
    size.ways["engine"] = Timing(milliseconds, recall([[numbers.get(x, -1) for x in one] for one in ids], exact), first)


def measure_rivals(size: Size, growth: Growth, queries: Queries, exact: NDArray[np.int64]) -> None:
    """Search by what there is besides."""
    points = size.filling.points
    vectors = np.empty((points, DIMENSIONS), np.float32)
    at = 0
    for block in growth.blocks(points):
        vectors[at : at + len(block)] = block
        at += len(block)
    slow, slow_exact = queries.counted[:SLOW], exact[:SLOW]

    def note(name: str, ask: Any, few: bool) -> Timing:
        chosen, truth = (slow, slow_exact) if few else (queries.counted, exact)
        timed(ask, chosen[:10])
        milliseconds, found = timed(ask, chosen)
        size.ways[name] = Timing(milliseconds, recall(found, truth))
        return size.ways[name]

    note("exact, numpy", scale_engines.by_numpy(vectors), few=True)
    try:
        note("exact, FAISS flat", scale_engines.by_faiss_flat(vectors), few=True)
    except ImportError:
        print("FAISS is not installed: left out", file=sys.stderr)
        return
    if points <= FAISS_LARGEST:
        with_ef, seconds = scale_engines.by_faiss_hnsw(vectors, HNSW_M, HNSW_EF_CONSTRUCT)
        for ef in scale_engines.FAISS_EF:
            reached = note("FAISS HNSW", with_ef(ef), few=False)
            if reached.recall >= size.ways["catalogue"].recall - 0.001:
                break
        print(f"FAISS HNSW built in {seconds:.0f} s, ef {ef}", file=sys.stderr)
    if points <= LOCAL_LARGEST:
        with scale_engines.by_local_client(vectors) as ask:
            note("qdrant-client, local", ask, few=True)


def dimension(growth: Growth, points: int) -> float:
    """Return the TwoNN estimate of the grown vectors' intrinsic dimension at a size."""
    # Of the first images, whose nearest is each itself.
    _, cosines = scale.exact_nearest(growth, points, growth.block(0)[:DIMENSION_SAMPLE], 3)
    distances = np.sqrt(np.maximum(2 - 2 * cosines.astype(np.float64), 0))
    return intrinsic_dimension(distances[:, 1], distances[:, 2])


def measure(points: int, growth: Growth, queries: Queries, source: str, rebuild: bool) -> Size:
    """Fill the database of one size where needed, and measure it and what stands beside it."""
    filling = scale.filled(points, growth, source, rebuild=rebuild)
    print(f"{points:,}: the exact nearest", file=sys.stderr)
    exact, _ = scale.exact_nearest(growth, points, queries.counted, DEPTH)
    size = Size(filling, dimension(growth, points))
    print(f"{points:,}: searching", file=sys.stderr)
    measure_database(size, queries, exact)
    measure_rivals(size, growth, queries, exact)
    return size


def show(sizes: list[Size], curves: dict[str, list[list[object]]]) -> None:
    """Print the tables."""
    headers = ["images", "dimension", "insert s", "index s", "RssAnon MB"]
    print(
        report.table(
            headers,
            [
                [
                    f"{s.filling.points:,}",
                    s.dimension,
                    s.filling.insert_seconds,
                    s.filling.index_seconds,
                    s.anonymous_mb,
                ]
                for s in sizes
            ],
        ),
        end="\n\n",
    )
    headers = ["milliseconds", "images", "p50", "p99", "recall@50", "first 200 p50", "p99"]
    rows = [[name, s.filling.points, *timing.row()] for s in sizes for name, timing in s.ways.items()]
    print(report.table(headers, rows), end="\n\n")
    for title, rows in curves.items():
        print(report.table([title, "p50 ms", "p99 ms", "recall@50"], rows), end="\n\n")


def draw(sizes: list[Size], curves: dict[str, list[list[object]]]) -> None:
    """Draw time against size, and recall against time."""
    with report.picture("bench-scale", "The fifty nearest: time against size (p50)", width=7, height=4) as axes:
        names = dict.fromkeys(name for size in sizes for name in size.ways)
        for number, name in enumerate(names):
            found = [(s.filling.points, np.median(s.ways[name].milliseconds)) for s in sizes if name in s.ways]
            color = report.COLORS[number] if number < 2 else (0.25 + 0.12 * number,) * 3
            axes.plot(*zip(*found, strict=True), marker="o", label=name, color=color, linewidth=2 if number < 2 else 1)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("images", fontsize=8)
        axes.set_ylabel("milliseconds", fontsize=8)
        axes.grid(color=report.GRID, linewidth=0.5)
    rows = next((rows for title, rows in curves.items() if title.startswith("settings")), [])
    with report.picture(
        "bench-scale-recall", "Recall against time, by settings of a search", width=7, height=4
    ) as axes:
        for label, p50, _, share in rows:
            place = float(str(p50)), float(str(share))
            chosen = label == f"ef {CatalogueSettings().hnsw_ef}, oversampling {CatalogueSettings().oversampling:g}"
            axes.plot(*place, "o", color=report.COLORS[0] if chosen else report.COLORS[3])
            axes.annotate(
                str(label).replace("oversampling ", "x") + (" (default)" if chosen else ""),
                place,
                (5, -9),
                textcoords="offset points",
                fontsize=7,
            )
        axes.margins(x=0.2)
        axes.set_xlabel("milliseconds at p50, the catalogue's call", fontsize=8)
        axes.set_ylabel("recall@50", fontsize=8)
        axes.grid(color=report.GRID, linewidth=0.5)


def short(points: int) -> str:
    """Return a size as figures' names have it: 1m, 100k."""
    return f"{points // 1_000_000}m" if points % 1_000_000 == 0 else f"{points // 1000}k"


def figures(sizes: list[Size]) -> dict[str, float]:
    """Return all figures by name."""
    found: dict[str, float] = {}
    for size in sizes:
        end = short(size.filling.points)
        found |= {
            f"insert_seconds_{end}": size.filling.insert_seconds,
            f"index_seconds_{end}": size.filling.index_seconds,
        }
        found |= {f"anon_mb_{end}": size.anonymous_mb, f"intrinsic_dimension_{end}": size.dimension}
        for name, timing in size.ways.items():
            start = {"catalogue": "", "exact, numpy": "exact_numpy_", "exact, FAISS flat": "faiss_flat_"}.get(
                name, name.lower().replace(", ", "_").replace(" ", "_").replace("-", "_") + "_"
            )
            p50, p99 = percentiles(timing.milliseconds)
            found |= {f"{start}p50_ms_{end}": p50, f"{start}p99_ms_{end}": p99}
            found[f"{start}recall_at_{DEPTH}_{end}"] = timing.recall
            if len(timing.first):
                first = percentiles(timing.first)
                found |= {f"{start}first_p50_ms_{end}": first[0], f"{start}first_p99_ms_{end}": first[1]}
    if len(sizes) > 1:
        medians = [float(np.median(size.ways["catalogue"].milliseconds)) for size in sizes]
        found["p50_growth"] = medians[-1] / medians[0]
    return found


def main() -> None:
    """Fill, search, print, draw and write."""
    parser = argparse.ArgumentParser(prog="make bench-scale", description=__doc__)
    parser.add_argument("--images", help="a folder of pictures to grow vectors from (default: the sample pictures)")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of images, separated by commas")
    parser.add_argument("--rebuild", action="store_true", help="fill the databases even if they are there")
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    report.warn_if_busy()
    pictures = collection.find(options.images)
    real = turned(real_vectors(pictures)[1], DIMENSIONS)
    growth = Growth(real)
    vectors = Growth(real, QUERY_SEED).block(0, BEFORE + COUNTED)
    queries = Queries(vectors[:BEFORE], vectors[BEFORE:])
    source = f"{len(real)} vectors {hashlib.sha256(real.tobytes()).hexdigest()[:12]}"
    try:
        measured = [measure(points, growth, queries, source, options.rebuild) for points in sizes]
        largest = sizes[-1]
        print("recall against time", file=sys.stderr)
        exact, _ = scale.exact_nearest(growth, largest, queries.counted[: scale_curves.CURVE], DEPTH)
        small = min(largest, scale_curves.GRAPHS_AT)
        curves = {
            f"settings at {largest:,}": scale_curves.measure_settings(largest, queries, exact),
            f"filters at {largest:,}": scale_curves.measure_filters(largest, growth, queries),
            f"engine alone at {small:,}": scale_curves.measure_graphs(small, growth, queries),
        }
    except ScaleFailed as error:
        sys.exit(str(error))
    show(measured, curves)
    draw(measured, curves)
    settings = {
        "images": str(pictures.folder),
        "real_vectors": len(real),
        "dimensions": DIMENSIONS,
        "queries": {"before": BEFORE, "counted": COUNTED, "first": FIRST},
        "limit": DEPTH,
        "hnsw": {"m": HNSW_M, "ef_construct": HNSW_EF_CONSTRUCT, "ef": CatalogueSettings().hnsw_ef},
        "oversampling": CatalogueSettings().oversampling,
    }
    report.write("bench-scale", settings=settings, figures=figures(measured), curves=curves)


if __name__ == "__main__":
    main()
