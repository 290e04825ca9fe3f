"""The fifty nearest of ten thousand to a million images: `make bench-scale SIZES=10000,100000,1000000 IMAGES=FOLDER`.

For each size a database is filled through the catalogue, once, and kept under data/benchmarks (`REBUILD=1` makes it
anew). It is then searched in two ways, with the catalogue's defaults: by the catalogue's call as the gateway makes it,
over gRPC with payload and vectors; and, the server stopped, by its engine in this process, ids and payload. 4,000
searches go before the 1,000 that count; the first 200 of these stand beside. They are for images that are not there,
and none comes twice; 1,000 texts stand beside. Recall is the share of the exact fifty nearest that are found, exact by
comparing with every vector.

Beside them in the same run: an exact product by numpy and FAISS flat (up to EXACT_LARGEST: all vectors must be in
memory), FAISS HNSW at no less recall (up to FAISS_LARGEST), and qdrant-client's local mode (up to LOCAL_LARGEST). At
the largest size, recall and time for other settings of a search, and for searches that a filter narrows; at 100,000,
for other graphs and without quantization.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import CatalogueSettings
from sightline_catalogue.schema import HNSW_EF_CONSTRUCT, HNSW_M
from sightline_encoder import models

from benchmarks import bench_search, collection, report, scale, scale_curves, scale_engines
from benchmarks.growth import Growth, Vectors, intrinsic_dimension, turned
from benchmarks.layouts import real_vectors
from benchmarks.quality import encoder_settings
from benchmarks.scale import DIMENSIONS, ScaleFailed, image, recall
from benchmarks.scale_engines import DEPTH, Queries, by_catalogue, numbers_of, timed
from benchmarks.scale_tables import Size, Timing, draw, figures, show

SIZES = (10_000, 100_000, 1_000_000)
QUERY_SEED = 99
BEFORE, COUNTED, FIRST, SLOW = 4000, 1000, 200, 100
FORM = "a photo of a {}"
EXACT_LARGEST, FAISS_LARGEST, LOCAL_LARGEST = 1_000_000, 100_000, 20_000
DIMENSION_SAMPLE = 2000


def texts() -> Vectors:
    """Return (COUNTED, DIMENSIONS) vectors of distinct texts by the model that the real vectors are of."""
    settings = encoder_settings(None)
    model = models.load(settings.model_ids[0], settings)
    found = [model.encode_texts(chunk) for chunk in collection.chunks(bench_search.queries(FORM, COUNTED), 32)]
    return turned(np.concatenate(found), DIMENSIONS)


def measure_database(size: Size, growth: Growth, queries: Queries, exact: NDArray[np.int64]) -> None:
    """Search by the catalogue, for images and for texts, then by the engine in this process."""
    points = size.filling.points
    with scale.database(points) as server:
        ask = by_catalogue(server.collection())
        first, _ = timed(ask, queries.before[:FIRST])
        timed(ask, queries.before[FIRST:])
        milliseconds, found = timed(ask, queries.counted)
        size.anonymous_mb = server.anonymous_mb()
        truth, _ = scale.exact_nearest(growth, points, queries.texts, DEPTH)
        milliseconds_of_texts, found_of_texts = timed(ask, queries.texts)
        reached = recall([numbers_of(one) for one in found_of_texts], truth)
        size.ways["catalogue"] = Timing(milliseconds, recall([numbers_of(one) for one in found], exact), first)
        size.ways["catalogue, texts"] = Timing(milliseconds_of_texts, reached)
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
    vectors = growth.all(points)
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
    measure_database(size, growth, queries, exact)
    if points <= EXACT_LARGEST:
        measure_rivals(size, growth, queries, exact)
    return size


def measure_curves(largest: int, growth: Growth, queries: Queries) -> dict[str, list[list[object]]]:
    """Return rows of recall against time by what varies."""
    print("recall against time", file=sys.stderr)
    small = min(largest, scale_curves.GRAPHS_AT)
    return {
        f"settings at {largest:,}": scale_curves.measure_settings(largest, growth, queries),
        f"filters at {largest:,}": scale_curves.measure_filters(largest, growth, queries),
        f"engine alone at {small:,}": scale_curves.measure_graphs(small, growth, queries),
    }


def main() -> None:
    """Fill, search, print, draw and write."""
    parser = argparse.ArgumentParser(prog="make bench-scale", description=__doc__)
    parser.add_argument("--images", help="a folder of pictures to grow vectors from (default: the sample pictures)")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of images, separated by commas")
    parser.add_argument("--rebuild", action="store_true", help="fill the databases even if they are there")
    parser.add_argument("--no-curves", action="store_true", help="leave out other settings, filters and graphs")
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    report.warn_if_busy()
    pictures = collection.find(options.images)
    real = turned(real_vectors(pictures)[1], DIMENSIONS)
    growth = Growth(real)
    vectors = Growth(real, QUERY_SEED).block(0, BEFORE + COUNTED)
    queries = Queries(vectors[:BEFORE], vectors[BEFORE:], texts())
    source = f"{len(real)} vectors {hashlib.sha256(real.tobytes()).hexdigest()[:12]}"
    try:
        measured = [measure(points, growth, queries, source, options.rebuild) for points in sizes]
        curves = {} if options.no_curves else measure_curves(sizes[-1], growth, queries)
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
