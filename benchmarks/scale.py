"""The fifty nearest of ten thousand to a million images: `make bench-scale SIZES=10000,100000,1000000 IMAGES=FOLDER`.

For each size a database is filled through the catalogue, once, and searched by the catalogue's call as the gateway
makes it, and by its engine in this process: for images that are not there, after 4,000 others, and for texts. Beside
them an exact product by numpy, and FAISS HNSW at no less recall; with QDRANT_URL also that server, filled alike and
emptied again. At the largest size, recall and time for other settings, for searches that a filter narrows,
and time for counting facets.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline.encoder.v1.encoder_pb2 import Reranking
from sightline_catalogue import (
    FACETS,
    Between,
    Catalogue,
    CatalogueSettings,
    Collection,
    Filter,
    Image,
    Reordering,
    SearchParams,
)
from sightline_catalogue.schema import HNSW_EF_CONSTRUCT, HNSW_M
from sightline_encoder.models.source import RERANKING
from sightline_search_gateway.exports import rerank

from benchmarks.harness import grown, pictures, results, vectors
from benchmarks.harness.grown import DIMENSIONS, Filling, exact_nearest, image, numbers_of, recall, visual_of
from benchmarks.harness.pictures import Vectors
from benchmarks.harness.results import say
from benchmarks.harness.timing import Milliseconds, percentile, timed
from benchmarks.harness.vectors import BLOCK, Growth, rotated

QUERY_SEED = 99
DEPTH = 50
EACH_RERANKED = Reranking(depth=RERANKING.depth, best=RERANKING.best, alike_from=-1.0, alike_to=0.0)
"""So that each search is put in order."""
BEFORE, COUNTED, FIRST, SLOW = 4000, 1000, 200, 100
EXACT_LARGEST, FAISS_LARGEST = 1_000_000, 100_000
FAISS_EF = (32, 48, 64, 96, 128, 192, 256, 384, 512, 768)
CURVE, NARROWED = 300, 100
COUNTED_FACETS = 10
"""Queries for each row of a curve, and of the filters."""
SETTINGS = (
    *((64, 1.0), (64, 2.0), (64, 4.0), (128, 2.0), (128, 4.0), (256, 1.0), (256, 2.0), (256, 4.0)),
    *((384, 2.0), (512, 2.0), (512, 4.0), (768, 2.0), (768, 4.0), (1024, 2.0), (1024, 4.0)),
)
"""Of hnsw_ef and oversampling."""
DAYS = grown.MINUTES / 60 / 24
SHARES = {"a hundredth": 0.01, "a tenth": 0.1, "half": 0.5}
START = grown.FIRST_DAY.replace(tzinfo=None) + timedelta(days=365)


@dataclass(frozen=True)
class Narrowed:
    """A filter, and which images pass it."""

    filter: Filter
    passes: Callable[[Image], bool]


def _by_bytes(share: float) -> Narrowed:
    most = int(share * grown.LARGEST_BYTES) - 1
    return Narrowed(Filter(bytes=Between(most=most)), lambda one: (one.bytes or 0) <= most)


def _by_camera(word: str) -> Narrowed:
    return Narrowed(Filter(cameras=(word,)), lambda one: word in (one.camera or "").lower())


def _by_word(word: str) -> Narrowed:
    return Narrowed(Filter(words=(word,)), lambda one: word in one.keywords)


def _both(one: Narrowed, other: Narrowed, **fields: Any) -> Narrowed:
    """Return the filter with the fields that either has."""
    return Narrowed(replace(one.filter, **fields), lambda image: one.passes(image) and other.passes(image))


def _all_but(one: Narrowed) -> Narrowed:
    return Narrowed(Filter(excluded=one.filter), lambda image: not one.passes(image))


def _by_dates(share: float) -> Narrowed:
    end = START + timedelta(days=share * DAYS)
    return Narrowed(
        Filter(after=START, before=end), lambda one: one.taken_at is not None and START <= one.taken_at < end
    )


def _by_label(*labels: str) -> Narrowed:
    return Narrowed(Filter(labels=labels), lambda one: one.label in labels)


def _by_more_bytes(share: float) -> Narrowed:
    least = int(share * grown.LARGEST_BYTES)
    return Narrowed(Filter(bytes=Between(least=least)), lambda one: (one.bytes or 0) >= least)


_PNG = Narrowed(Filter(formats=("PNG",)), lambda one: one.format == "PNG")
FILTERS = {
    "format, a tenth": _PNG,
    "dates, a hundredth": _by_dates(0.01),
    "100 labels, a tenth": _by_label(*(f"album-{number:04}" for number in range(100))),
    "one label, a thousandth": _by_label("album-0007"),
    **{f"camera, {share}": _by_camera(word) for share, word in zip(SHARES, ("leica", "iphone", "nikon"), strict=True)},
    **{f"word, {share}": _by_word(word) for share, word in zip(SHARES, grown.KEYWORDS, strict=True)},
    **{f"bytes, {share}": _by_bytes(least) for share, least in SHARES.items()},
    **{
        f"camera and bytes, {share}": _both(
            _by_camera("nikon"), _by_bytes(2 * least), bytes=_by_bytes(2 * least).filter.bytes
        )
        for share, least in SHARES.items()
    },
    **{f"all but bytes, {share}": _all_but(_by_more_bytes(least)) for share, least in SHARES.items()},
}
Rows = list[list[Any]]
Truth = NDArray[np.int64]


@dataclass
class Queries:
    """Vectors to search for: those that go before, those that count, and those of texts."""

    before: Vectors
    counted: Vectors
    texts: Vectors


@dataclass
class Timing:
    """Times of one way to search, its recall of the fifty nearest, and times of the first searches after a start."""

    milliseconds: Milliseconds
    recall: float
    first: Milliseconds = field(default_factory=lambda: np.empty(0))


@dataclass
class Size:
    """All that was measured at one size."""

    filling: Filling
    anonymous_mb: float = 0.0
    ways: dict[str, Timing] = field(default_factory=dict)


def p50_p99(times: Milliseconds) -> tuple[float, float]:
    """Return p50 and p99."""
    return percentile(times, 50), percentile(times, 99)


def by_catalogue(collection: Collection, **options: Any) -> Callable[[Vectors], Any]:
    """Return the catalogue's call as the gateway makes it: over gRPC, with payload and vectors."""
    params = SearchParams(limit=DEPTH, with_vectors=True, **options)
    return lambda query: collection.nearest(query, params)


def reached(found: Sequence[Any], truth: Truth) -> float:
    """Return the recall of what the catalogue found."""
    return recall([numbers_of(one.images) for one in found], truth)


def measure_catalogue(size: Size, name: str, catalogue: Catalogue, queries: Queries, truth: Truth) -> None:
    """Search by the catalogue, for images and for texts; `truth` is of both."""
    collection = catalogue.current()
    ask = by_catalogue(collection)
    first, _ = timed(ask, queries.before[:FIRST])
    timed(ask, queries.before[FIRST:])
    milliseconds, found = timed(ask, queries.counted)
    size.ways[name] = Timing(milliseconds, reached(found, truth[:COUNTED]), first)
    milliseconds, found = timed(by_catalogue(collection, by_text=True), queries.texts)
    size.ways[f"{name}, texts"] = Timing(milliseconds, reached(found, truth[COUNTED:]))


def measure_visual(size: Size, collection: Collection, growth: Growth, queries: Queries) -> None:
    """Search by visual vectors, and for texts whose first results are put in order by them."""
    reordering = Reordering(
        EACH_RERANKED.depth, lambda similarities, _, visual: rerank(similarities, visual, EACH_RERANKED)
    )
    milliseconds, _ = timed(by_catalogue(collection, by_text=True, reordering=reordering), queries.texts)
    size.ways["catalogue, texts reranked"] = Timing(milliseconds, float("nan"))
    asked = visual_of(queries.counted)
    milliseconds, found = timed(by_catalogue(collection, visual=True), asked)
    truth = exact_nearest(growth, size.filling.points, asked, DEPTH, visual_of)
    size.ways["catalogue, visual"] = Timing(milliseconds, reached(found, truth))


def measure_database(size: Size, growth: Growth, queries: Queries, truth: Truth) -> None:
    """Search by the catalogue, in the server of QDRANT_URL too, then by the engine in this process."""
    points = size.filling.points
    both = np.concatenate([truth, exact_nearest(growth, points, queries.texts, DEPTH)])
    with grown.database(size.filling.folder) as server:
        measure_catalogue(size, "catalogue", server.catalogue(), queries, both)
        if size.filling.visual:
            measure_visual(size, server.catalogue().current(), growth, queries)
        size.anonymous_mb = server.anonymous_mb()
    if "QDRANT_URL" in os.environ:
        with grown.filled_server(points, growth) as catalogue:
            measure_catalogue(size, "server", catalogue, queries, both)
    # An id that is among no query's exact nearest is none of the nearest.
    numbers = {image(number).id: number for number in np.unique(truth).tolist()}
    with vectors.loaded(grown.shard_folder(size.filling.folder)) as shard:
        requests = [shard.request(query, DEPTH) for query in (*queries.before, *queries.counted)]
        times, ids = timed(shard.ids, requests)
    found_numbers = [[numbers.get(str(each), -1) for each in one] for one in ids[BEFORE:]]
    size.ways["engine"] = Timing(times[BEFORE:], recall(found_numbers, truth), times[:FIRST])


def measure_rivals(size: Size, growth: Growth, queries: Queries, truth: Truth) -> None:
    """Search by what there is besides."""
    everything = growth.all(size.filling.points)

    def note(name: str, ask: Callable[[Vectors], Any], count: int = COUNTED) -> float:
        timed(ask, queries.counted[:10])
        milliseconds, found = timed(ask, queries.counted[:count])
        size.ways[name] = Timing(milliseconds, recall([one.tolist() for one in found], truth[:count]))
        return size.ways[name].recall

    note("exact, numpy", partial(vectors.exact, everything, count=DEPTH), SLOW)
    if size.filling.points > FAISS_LARGEST:
        return
    import faiss  # type: ignore[import-not-found,import-untyped,unused-ignore]

    index = faiss.IndexHNSWFlat(DIMENSIONS, HNSW_M, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = HNSW_EF_CONSTRUCT
    index.add(everything)
    for ef in FAISS_EF:
        index.hnsw.efSearch = ef
        reached_by_faiss = note("FAISS HNSW", lambda query: index.search(query[None], DEPTH)[1][0])
        if reached_by_faiss >= size.ways["catalogue"].recall - 0.001:
            break
    say(f"FAISS HNSW: ef {ef}")


def measure_settings(filling: Filling, growth: Growth, queries: Queries) -> Rows:
    """Return rows of ef, oversampling, p50, p99 and recall by the catalogue's call, and the recall of texts."""
    chosen, texts = queries.counted[:CURVE], queries.texts[:CURVE]
    truth = exact_nearest(growth, filling.points, np.concatenate([chosen, texts]), DEPTH)
    rows: Rows = []
    with grown.database(filling.folder) as server:
        timed(by_catalogue(server.catalogue().current()), queries.before[:2000])
        for ef, oversampling in SETTINGS:
            ask = by_catalogue(server.catalogue(hnsw_ef=ef, oversampling=oversampling).current())
            timed(ask, queries.before[:100])
            times, found = timed(ask, chosen)
            shares = reached(found, truth[:CURVE]), reached(timed(ask, texts)[1], truth[CURVE:])
            name = f"ef {ef}, oversampling {oversampling:g}"
            rows.append([name, *p50_p99(times), *shares])
    return rows


def measure_filters(filling: Filling, growth: Growth, queries: Queries) -> Rows:
    """Return rows of filter, p50, p99 and recall by the catalogue's call."""
    points = filling.points
    passing = np.zeros((len(FILTERS), points), bool)
    for number in range(points):
        one = image(number)
        passing[:, number] = [narrowed.passes(one) for narrowed in FILTERS.values()]
    rows: Rows = []
    chosen = queries.counted[:NARROWED]
    with grown.database(filling.folder) as server:
        opened = server.catalogue().current()
        for (name, narrowed), inside in zip(FILTERS.items(), passing, strict=True):
            kept = np.flatnonzero(inside)
            parts = np.split(inside, range(BLOCK, points, BLOCK))
            blocks = [block[part] for block, part in zip(growth.blocks(points), parts, strict=True)]
            truth = kept[np.argsort(-(chosen @ np.concatenate(blocks).T), axis=1)[:, :DEPTH]]
            ask = by_catalogue(opened, filter=narrowed.filter)
            timed(ask, queries.before[:NARROWED])
            times, found = timed(ask, chosen)
            rows.append([name, *p50_p99(times), reached(found, truth)])
    return rows


def measure_facets(filling: Filling) -> Rows:
    """Return rows of facet, and of all images and of a tenth of them the p50 of counting it."""
    rows: Rows = []
    with grown.database(filling.folder) as server:
        opened = server.catalogue().current()
        for name in FACETS:
            row: list[Any] = [name]
            for wanted in (None, _by_bytes(SHARES["a tenth"]).filter):
                times, _ = timed(partial(opened.facets, filter=wanted), [[name]] * COUNTED_FACETS)
                row.append(percentile(times, 50))
            rows.append(row)
    return rows


def show(sizes: list[Size], curves: dict[str, Rows]) -> None:
    """Print the tables."""
    fillings = [[s.filling.points, s.filling.insert_seconds, s.filling.index_seconds, s.anonymous_mb] for s in sizes]
    results.show(["images", "insert s", "index s", "RssAnon MB"], fillings)
    rows: Rows = []
    for size in sizes:
        for name, timing in size.ways.items():
            first = p50_p99(timing.first) if len(timing.first) else ("", "")
            reached_by = timing.recall if np.isfinite(timing.recall) else ""
            rows.append([name, size.filling.points, *p50_p99(timing.milliseconds), reached_by, *first])
    results.show(["milliseconds", "images", "p50", "p99", "recall@50", "first 200 p50", "p99"], rows)
    for title, rows in curves.items():
        measured = (
            ["p50 ms", "of a tenth"] if title.startswith("facets") else ["p50 ms", "p99 ms", "recall@50", "of texts"]
        )
        results.show([title, *measured][: len(rows[0])], rows)


def draw(sizes: list[Size], curves: dict[str, Rows]) -> None:
    """Draw time against size, and recall against time."""
    title = "The fifty nearest: time against size (p50)"
    with results.picture("bench-scale", title, x="images", y="milliseconds") as axes:
        for name, color in zip(sizes[0].ways, results.COLORS, strict=False):
            found = [(s.filling.points, percentile(s.ways[name].milliseconds, 50)) for s in sizes if name in s.ways]
            axes.loglog(*zip(*found, strict=True), marker="o", label=name, color=color)
    rows = next((rows for title, rows in curves.items() if title.startswith("settings")), [])
    if not rows:
        return
    title, x = "Recall against time, each point an ef", "milliseconds at p50, the catalogue's call"
    with results.picture("bench-scale-recall", title, height=4.5, x=x, y="recall@50") as axes:
        oversamplings = list(dict.fromkeys(oversampling for _, oversampling in SETTINGS))
        for (ef, oversampling), (_, time, _, *shares) in zip(SETTINGS, rows, strict=True):
            color = results.COLORS[oversamplings.index(oversampling)]
            for share, marker, of in zip(shares, "ox", ("images", "texts"), strict=True):
                label = f"oversampling {oversampling:g}, {of}"
                known = label in axes.get_legend_handles_labels()[1]
                axes.plot(time, share, marker, color=color, label=None if known else label)
                axes.annotate(str(ef), (time, share), (4, -8), textcoords="offset points", fontsize=7)


def figures(sizes: list[Size]) -> dict[str, float]:
    """Return all figures by name."""
    found: dict[str, float] = {}
    for size in sizes:
        points = size.filling.points
        end = f"{points // 1_000_000}m" if points % 1_000_000 == 0 else f"{points // 1000}k"
        found |= {
            f"insert_seconds_{end}": size.filling.insert_seconds,
            f"index_seconds_{end}": size.filling.index_seconds,
            f"anon_mb_{end}": size.anonymous_mb,
        }
        for name, timing in size.ways.items():
            start = f"{name.lower().replace(', ', '_').replace(' ', '_')}_".replace("catalogue_", "")
            p50, p99 = p50_p99(timing.milliseconds)
            found |= {f"{start}p50_ms_{end}": p50, f"{start}p99_ms_{end}": p99}
            if np.isfinite(timing.recall):
                found[f"{start.replace('texts', 'text')}recall_at_{DEPTH}_{end}"] = timing.recall
            if len(timing.first):
                first = p50_p99(timing.first)
                found |= {f"{start}first_p50_ms_{end}": first[0], f"{start}first_p99_ms_{end}": first[1]}
    if len(sizes) > 1:
        medians = [percentile(size.ways["catalogue"].milliseconds, 50) for size in sizes]
        found["p50_growth"] = medians[-1] / medians[0]
    return found


def main() -> None:
    """Fill, search, print, draw and write."""
    sizes = (results.sizes, "10000,100000,1000000")
    options = results.options("bench-scale", __doc__, sizes=sizes, rebuild=False, no_curves=False, visual=False)
    found, model = pictures.find(options.images), pictures.load()
    real = rotated(pictures.embed_with(model, found)[1], DIMENSIONS)
    growth = Growth(real)
    images = Growth(real, QUERY_SEED).block(0, BEFORE + COUNTED)
    texts = pictures.encode_texts(model, pictures.texts("a photo of a {}", count=COUNTED))
    queries = Queries(images[:BEFORE], images[BEFORE:], rotated(texts, DIMENSIONS))
    source = f"{len(real)} vectors {hashlib.sha256(real.tobytes()).hexdigest()[:12]}"
    measured: list[Size] = []
    for points in options.sizes:
        measured.append(Size(grown.filled(points, growth, source, rebuild=options.rebuild, visual=options.visual)))
        say(f"{points:,}: searching")
        truth = exact_nearest(growth, points, queries.counted, DEPTH)
        measure_database(measured[-1], growth, queries, truth)
        if points <= EXACT_LARGEST:
            measure_rivals(measured[-1], growth, queries, truth)
    curves: dict[str, Rows] = {}
    if not options.no_curves:
        say("recall against time")
        largest = options.sizes[-1]
        curves[f"settings at {largest:,}"] = measure_settings(measured[-1].filling, growth, queries)
        curves[f"filters at {largest:,}"] = measure_filters(measured[-1].filling, growth, queries)
        curves[f"facets at {largest:,}"] = measure_facets(measured[-1].filling)
    show(measured, curves)
    draw(measured, curves)
    defaults = CatalogueSettings().model_dump(include={"hnsw_ef", "oversampling"})
    settings = {"images": str(found.folder), "real_vectors": len(real), "dimensions": DIMENSIONS, **defaults}
    results.write("bench-scale", settings=settings, figures=figures(measured), curves=curves)


if __name__ == "__main__":
    main()
