"""One map, from its pictures' vectors to its figures. Runs twice without harm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import numpy as np
import redis
import structlog
from numpy.typing import NDArray
from sightline_catalogue import Collection

from sightline_search_gateway.maps import layout
from sightline_search_gateway.maps.clusters import cluster_shapes, group, majority_names, nearest_group
from sightline_search_gateway.maps.naming import Namer
from sightline_search_gateway.maps.neighbours import nearest_neighbours, nearest_of
from sightline_search_gateway.maps.points import Points, centred, dump_xy, scale_of
from sightline_search_gateway.maps.request import FEWEST, fitting_perplexity
from sightline_search_gateway.maps.selection import Selection, numbered, select
from sightline_search_gateway.maps.separation import NEIGHBOURS, label_separation, sampled
from sightline_search_gateway.maps.store import BEAT_SECONDS, MapRecord, MapStore

PUBLISH_SECONDS = 0.5
MOST_NEW = 0.25
"""With a larger share of new pictures, a map is computed anew."""
SAMPLED_POINTS = 2000
"""When pictures are placed, so many points' neighbours tell how labels separate."""
log = structlog.get_logger()


class NotMine(Exception):
    """The map was cancelled, asked for anew, or given to another worker."""


class Stopped(Exception):
    """The worker is told to stop."""


class CannotMap(Exception):
    """The message says to a person why there will be no map."""


@dataclass
class Run:
    """One worker's try at one map.

    Args:
        store: Where it is written.
        record: As it was claimed.
        stopping: Whether the worker is told to stop.
        threads: To use.
    """

    store: MapStore
    record: MapRecord
    stopping: Callable[[], bool]
    threads: int
    lost: Event = field(default_factory=Event)

    def check(self) -> None:
        """Return while there is a reason to go on.

        Raises:
            NotMine, Stopped: There is none.
        """
        if self.lost.is_set():
            raise NotMine
        if self.stopping():
            raise Stopped

    def write(self, fields: dict[str, Any], parts: dict[str, bytes] | None = None) -> None:
        """Write, and go on.

        Raises:
            NotMine, Stopped: There is no reason to.
        """
        self.check()
        if not self.store.write(self.record.id, self.record.run, fields, parts):
            raise NotMine

    def step(self, name: str, iteration: int = 0, kl_divergence: float | None = None) -> dict[str, Any]:
        """Return the field that says how far it is."""
        return {
            "progress": {
                "step": name,
                "iteration": iteration,
                "iterations": layout.ITERATIONS,
                "kl_divergence": None if kl_divergence is None else round(kl_divergence, 4),
            }
        }

    @contextmanager
    def heartbeat(self) -> Iterator[None]:
        """Say every two seconds that all is well, and find out whether the map is still wanted."""
        ended = Event()

        def beat() -> None:
            while not ended.wait(BEAT_SECONDS / 2):
                try:
                    if not self.store.beat(self.record.id, self.record.run):
                        self.lost.set()
                        return
                except redis.RedisError as error:
                    log.warning("redis does not answer", error=str(error))

        thread = Thread(target=beat, name="map-heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(timeout=10)


def make_map(run: Run, collection: Collection, namer: Namer) -> None:
    """Compute a map, or place what is new into the one that there is.

    Raises:
        NotMine, Stopped: It was ended.
        CannotMap: There are too few pictures.
        CatalogueError: The catalogue does not answer.
    """
    record = run.record
    before = run.store.points(record.id)
    run.write(run.step("vectors"))
    if record.request.upload is not None:
        selection, label, labels = _uploaded(run, before)
    else:
        selected_at = time.time()
        selection = select(collection, record.request)
        label, labels = numbered(selection.labels)
        run.write({"selected_at": selected_at})
    if len(selection.ids) < FEWEST:
        raise CannotMap(too_few(len(selection.ids)))
    fields = {"count": len(selection.ids), "total": selection.total, "labels": labels}
    if record.made and before is not None and record.request.is_filtered:
        old = set(before.ids)
        if sum(one not in old for one in selection.ids) <= MOST_NEW * len(before.ids):
            _place(run, selection, Points(selection.ids, label), before, labels, fields, namer)
            return
    _compute(run, selection.vectors, Points(selection.ids, label), labels, fields, namer)


def too_few(count: int) -> str:
    """Return what a person is told of so few pictures."""
    return (
        f"Only {count} picture{'' if count == 1 else 's'} {'matches' if count == 1 else 'match'}; a map needs {FEWEST}."
    )


def _uploaded(run: Run, points: Points | None) -> tuple[Selection, NDArray[np.int32], list[str]]:
    vectors = run.store.part(run.record.id, "vectors")
    if points is None or vectors is None:
        raise CannotMap("The uploaded pictures are no longer here; upload them again.")
    unit = np.frombuffer(vectors, np.float16).reshape(len(points.ids), -1).astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    return (
        Selection(points.ids, [None] * len(points.ids), unit, run.record.total),
        points.label,
        list(run.record.labels),
    )


def _compute(
    run: Run, vectors: NDArray[np.float32], points: Points, labels: list[str], fields: dict[str, Any], namer: Namer
) -> None:
    request = run.record.request.fitted(len(vectors))
    start = layout.first_places(vectors)
    scale = scale_of(centred(start))
    # Where it will begin is worth seeing while neighbours are looked for.
    run.write(
        {**fields, "made": 0, "request": request.dump(), "scale": scale, "clusters": [], "separation": None}
        | run.step("affinities"),
        {"points": points.dump(), "xy": dump_xy(centred(start))},
    )
    neighbours = nearest_neighbours(vectors, max(NEIGHBOURS, int(3 * request.perplexity)), check=run.check)
    run.check()
    published = 0.0

    def publish(iteration: int, kl_divergence: float | None, places: NDArray[Any]) -> None:
        nonlocal published
        run.check()
        now = time.monotonic()
        if now - published < PUBLISH_SECONDS:
            return
        published = now
        xy = centred(np.asarray(places))
        run.write({"scale": scale_of(xy)} | run.step("optimizing", iteration, kl_divergence), {"xy": dump_xy(xy)})

    laid = layout.lay_out(start, neighbours, request.perplexity, threads=run.threads, on_progress=publish)
    points.xy = centred(laid.places)
    run.write(
        {"scale": scale_of(points.xy)} | run.step("separating", layout.ITERATIONS, laid.kl_divergence),
        {"xy": dump_xy(points.xy)},
    )
    points.cluster, centroids = group(vectors)
    rows = np.arange(len(vectors))
    _finish(run, vectors, rows, neighbours.indices, points, labels, centroids, namer)


def _place(
    run: Run,
    selection: Selection,
    points: Points,
    before: Points,
    labels: list[str],
    fields: dict[str, Any],
    namer: Namer,
) -> None:
    """Place what is new; what is old stays where it is, and what is gone leaves."""
    request = run.record.request
    place_of = {one: place for place, one in enumerate(before.ids)}
    was = np.array([place_of.get(one, -1) for one in points.ids])
    old, new = np.flatnonzero(was >= 0), np.flatnonzero(was < 0)
    run.write(fields | run.step("optimizing", layout.ITERATIONS))
    vectors = selection.vectors
    points.xy = np.empty((len(points.ids), 2), np.float32)
    points.xy[old] = before.xy[was[old]]
    points.cluster[old] = before.cluster[was[old]]
    points.new[old] = before.new[was[old]]
    groups = int(before.cluster.max()) + 1
    centroids = np.stack([_mean(vectors[old][points.cluster[old] == one], vectors.shape[1]) for one in range(groups)])
    if len(new):
        perplexity = fitting_perplexity(request.perplexity, len(old))
        points.xy[new] = layout.place(vectors[new], vectors[old], points.xy[old], perplexity, threads=run.threads)
        points.cluster[new] = nearest_group(vectors[new], centroids)
        points.new[new] = True
    # Their places are what is waited for; the figures follow.
    run.write(run.step("separating", layout.ITERATIONS), {"points": points.dump(), "xy": dump_xy(points.xy)})
    rows = sampled(points.label, SAMPLED_POINTS)
    nearest = nearest_of(rows, vectors, NEIGHBOURS)
    _finish(run, vectors, rows, nearest, points, labels, centroids, namer)


def _finish(
    run: Run,
    vectors: NDArray[np.float32],
    rows: NDArray[np.intp],
    nearest: NDArray[np.int64],
    points: Points,
    labels: Sequence[str],
    centroids: NDArray[np.float32],
    namer: Namer,
) -> None:
    sizes = np.bincount(points.cluster, minlength=len(centroids)).tolist()
    names = namer(centroids, sizes, majority_names(points.cluster, points.label, labels, len(centroids)))
    data, xy = points.dump(), dump_xy(points.xy)
    figures = {
        "clusters": cluster_shapes(points.cluster, names),
        "separation": label_separation(vectors, rows, nearest, points.label, labels),
    }
    run.write(
        {**figures, "made": 1, "size": len(data) + len(xy) + run.record.size // 4},
        {"points": data, "xy": xy},
    )
    if not run.store.finish(run.record.id, run.record.run, "done"):
        raise NotMine


def _mean(vectors: NDArray[np.float32], dimensions: int) -> NDArray[np.float32]:
    if not len(vectors):
        return np.zeros(dimensions, np.float32)
    mean = vectors.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), dtype=np.float32)
