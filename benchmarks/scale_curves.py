"""Recall against time: for other settings of a search, for filters, and for other graphs."""

from __future__ import annotations

import sys
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import CatalogueSettings, Filter
from sightline_catalogue.schema import HNSW_M

from benchmarks import scale
from benchmarks.growth import Growth, Vectors
from benchmarks.scale import image, recall
from benchmarks.scale_engines import (
    DEPTH,
    Queries,
    by_catalogue,
    engine_requests,
    numbers_of,
    percentiles,
    small_shard,
    timed,
    timed_engine,
)

SETTINGS = (
    *((64, 1.0), (64, 2.0), (64, 4.0), (128, 2.0), (128, 4.0), (256, 1.0), (256, 2.0), (256, 4.0)),
    *((512, 1.0), (512, 2.0), (512, 4.0), (512, 8.0), (1024, 4.0)),
)
"""Of hnsw_ef and oversampling."""
GRAPHS = (8, 16, 32)
"""Of m."""
GRAPHS_AT = 100_000
CURVE, NARROWED = 300, 100
"""Queries for each row."""
MINUTES = 5_256_000
"""Over which grown images are spread."""


def measure_settings(points: int, growth: Growth, queries: Queries) -> list[list[object]]:
    """Return rows of ef, oversampling, p50, p99 and recall by the catalogue's call, and the recall of texts."""
    chosen, texts = queries.counted[:CURVE], queries.texts[:CURVE]
    truth, _ = scale.exact_nearest(growth, points, chosen, DEPTH)
    truth_of_texts, _ = scale.exact_nearest(growth, points, texts, DEPTH)
    rows: list[list[object]] = []
    with scale.database(points) as server:
        timed(by_catalogue(server.collection()), queries.before[:2000])
        for ef, oversampling in SETTINGS:
            ask = by_catalogue(server.collection(hnsw_ef=ef, oversampling=oversampling))
            timed(ask, queries.before[:100])
            milliseconds, found = timed(ask, chosen)
            share = recall([numbers_of(one) for one in found], truth)
            _, found = timed(ask, texts)
            share_of_texts = recall([numbers_of(one) for one in found], truth_of_texts)
            name = f"ef {ef}, oversampling {oversampling:g}"
            rows.append([name, *percentiles(milliseconds), share, share_of_texts])
    return rows


def filters() -> dict[str, Filter]:
    """Return filters that narrow a search to a tenth, a hundredth and a thousandth of the images."""
    start, days = scale.FIRST_DAY, MINUTES / 60 / 24

    def span(share: float) -> Filter:
        return Filter(after=start + timedelta(days=365), before=start + timedelta(days=365 + share * days))

    return {
        "format PNG, a tenth": Filter(formats=("PNG",)),
        "dates, a tenth": span(0.1),
        "dates, a hundredth": span(0.01),
        "100 labels, a tenth": Filter(labels=tuple(f"album-{number:04}" for number in range(100))),
        "one label, a thousandth": Filter(labels=("album-0007",)),
    }


def fits(number: int, wanted: Filter) -> bool:
    """Say whether a grown image passes a filter."""
    one = image(number)
    if one.taken_at is None:
        return False
    return (
        (not wanted.labels or one.label in wanted.labels)
        and (not wanted.formats or one.format in wanted.formats)
        and (wanted.after is None or one.taken_at >= wanted.after)
        and (wanted.before is None or one.taken_at < wanted.before)
    )


def measure_filters(points: int, growth: Growth, queries: Queries) -> list[list[object]]:
    """Return rows of filter, p50, p99 and recall by the catalogue's call."""
    rows: list[list[object]] = []
    chosen = queries.counted[:NARROWED]
    with scale.database(points) as server:
        opened = server.collection()
        for name, wanted in filters().items():
            kept = np.array([number for number in range(points) if fits(number, wanted)])
            exact = _exact_among(growth, points, chosen, kept)
            ask = by_catalogue(opened, filter=wanted)
            timed(ask, queries.before[:NARROWED])
            milliseconds, found = timed(ask, chosen)
            rows.append([name, *percentiles(milliseconds), recall([numbers_of(one) for one in found], exact)])
    return rows


def _exact_among(growth: Growth, points: int, queries: Vectors, kept: NDArray[np.int64]) -> NDArray[np.int64]:
    vectors, at = [], 0
    for block in growth.blocks(points):
        vectors.append(block[kept[(kept >= at) & (kept < at + len(block))] - at])
        at += len(block)
    scores = queries @ np.concatenate(vectors).T
    return kept[np.argsort(-scores, axis=1)[:, :DEPTH]]


def measure_graphs(points: int, growth: Growth, queries: Queries) -> list[list[object]]:
    """Return rows for graphs of other m, and without quantization, by the engine in this process."""
    chosen = queries.counted[:CURVE]
    exact, _ = scale.exact_nearest(growth, points, chosen, DEPTH)
    rows: list[list[object]] = []
    for m in GRAPHS:
        with small_shard(points, growth, m) as (opened, numbers):
            for quantized in (True, False) if m == HNSW_M else (True,):
                requests = engine_requests(chosen, CatalogueSettings(), quantized=quantized)
                timed_engine(opened, requests[:NARROWED])
                milliseconds, ids = timed_engine(opened, requests)
                share = recall([[numbers[x] for x in one] for one in ids], exact)
                name = f"m {m}" + ("" if quantized else ", full vectors")
                rows.append([name, *percentiles(milliseconds), share])
        print(f"graph of m {m} measured", file=sys.stderr)
    return rows
