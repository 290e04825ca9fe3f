"""One map, from its images' vectors to its figures. Runs twice without harm."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import redis
import structlog
from numpy.typing import NDArray
from sightline_catalogue import Catalogue, CatalogueError, Collection
from sightline_service.request_ids import bind_request_id

from sightline_search_gateway.maps.jobs import JobRun, LeaseLost, MapJobs
from sightline_search_gateway.maps.points import Points, centred, dump_xy, scale_of
from sightline_search_gateway.maps.record import MapRecord
from sightline_search_gateway.maps.request import FEWEST, fitting_perplexity, too_few
from sightline_search_gateway.maps.results import MapProgress, Step
from sightline_search_gateway.maps.selection import Selection, select, split_rows
from sightline_search_gateway.maps.store import MapStore
from sightline_search_gateway.maps.worker import layout
from sightline_search_gateway.maps.worker.cluster_names import Namer, vocabulary_namer
from sightline_search_gateway.maps.worker.clusters import (
    centroids_of,
    group_vectors,
    majority_names,
    map_clusters,
    nearest_group,
)
from sightline_search_gateway.maps.worker.neighbours import nearest_neighbours, nearest_of
from sightline_search_gateway.maps.worker.separation import NEIGHBOURS, label_separation, sampled
from sightline_search_gateway.maps.worker.settings import MapWorkerSettings
from sightline_search_gateway.search.shared_cache import SharedCache
from sightline_search_gateway.vectors import unit

PUBLISH_SECONDS = 0.5
MAX_NEW_SHARE = 0.25
"""With a larger share of new images, a map is computed anew."""
SAMPLED_POINTS = 2000
"""When images are placed into a map, so many points' neighbours tell how labels separate."""
CATALOGUE_WAIT_SECONDS, CATALOGUE_RETRY_SECONDS = 30.0, 0.5
CATALOGUE_UNAVAILABLE = "The catalogue did not answer; try again soon."
OUT_OF_MEMORY = "There is not enough memory for a map of so many pictures; try a smaller sample."
UNEXPECTED = "Something went wrong while it was computed; the map worker's log says more."
log = structlog.get_logger()


class CannotMap(Exception):
    """There will be no map; the message says why, fit to show to a person."""


@dataclass(frozen=True)
class Context:
    """What a process that computes maps has open."""

    jobs: MapJobs
    catalogue: Catalogue
    namer: Namer
    threads: int


@dataclass(frozen=True)
class Job:
    """A run of a job, with the map as it was when the run began."""

    context: Context
    run: JobRun
    record: MapRecord

    def write(self, fields: dict[str, Any], parts: dict[str, bytes] | None = None) -> None:
        """Write into the map, as `MapJobs.write` does."""
        self.context.jobs.write(self.run, fields, parts)


def open_context(settings: MapWorkerSettings) -> Context:
    """Return what the settings name; connections open on first use."""
    catalogue = Catalogue(settings.catalogue, settings.bucket_id)
    return Context(
        jobs=MapJobs(MapStore(settings.queue, settings.maps)),
        catalogue=catalogue,
        namer=vocabulary_namer(SharedCache(settings.queue), lambda: catalogue.current().model),
        threads=settings.maps.threads,
    )


def compute(context: Context, run: JobRun) -> None:
    """Compute the map of a run, which ends as done, or as failed with a reason; or not, where the lease is lost."""
    bind_request_id(run.request_id)
    try:
        _make_with_retries(context, run)
        return
    except LeaseLost:
        return
    except CannotMap as error:
        reason = str(error)
    except CatalogueError as error:
        log.warning("the catalogue does not answer", map=run.map_id, error=str(error))
        reason = CATALOGUE_UNAVAILABLE
    except MemoryError:
        reason = OUT_OF_MEMORY
    except redis.RedisError:
        # Nothing can be written. The worker sees that the process ended with the job unfinished.
        raise
    except Exception:
        log.exception("a map failed", map=run.map_id)
        reason = UNEXPECTED
    with suppress(LeaseLost):
        context.jobs.finish(run, "failed", reason)


def _make_with_retries(context: Context, run: JobRun) -> None:
    """Make a map; where the catalogue does not answer, try again for a while."""
    deadline = time.monotonic() + CATALOGUE_WAIT_SECONDS
    while True:
        record = context.jobs.store.get(run.map_id)
        if record is None:
            raise LeaseLost
        try:
            return make_map(Job(context, run, record), context.catalogue.current())
        except CatalogueError:
            if time.monotonic() > deadline:
                raise
            time.sleep(CATALOGUE_RETRY_SECONDS)


def _progress(step: Step, iteration: int = 0, kl_divergence: float | None = None) -> dict[str, MapProgress]:
    """Return the field that says how far a map is."""
    return {
        "progress": MapProgress(
            step=step,
            iteration=iteration,
            iterations=layout.ITERATIONS,
            kl_divergence=None if kl_divergence is None else round(kl_divergence, 4),
        )
    }


def make_map(job: Job, collection: Collection) -> None:
    """Compute a map, or place what is new into the one that there is.

    Raises:
        LeaseLost: The map is no longer the run's own.
        CannotMap: There are too few pictures.
        CatalogueError: The catalogue does not answer.
    """
    record, jobs = job.record, job.context.jobs
    before = jobs.store.points(record.id)
    job.write(_progress("vectors"))
    if record.request.upload is not None:
        selection = _uploaded(job, before, collection.model.dimensions)
    else:
        selected_at = time.time()
        selection = select(collection, record.request)
        job.write({"selected_at": selected_at})
    if len(selection.ids) < FEWEST:
        raise CannotMap(too_few(len(selection.ids)))
    if record.made and before is not None and record.request.is_filtered:
        known = set(before.ids)
        if sum(one not in known for one in selection.ids) <= MAX_NEW_SHARE * len(before.ids):
            _add(job, selection, before)
            return
    _fit(job, selection)


def _uploaded(job: Job, points: Points | None, dimensions: int) -> Selection:
    stored = job.context.jobs.store.part(job.record.id, "vectors")
    if points is None or stored is None:
        raise CannotMap("The uploaded pictures are no longer here; upload them again.")
    kept = np.frombuffer(stored, np.float16).reshape(len(points.ids), -1).astype(np.float32)
    vectors, named_by = (unit(part) for part in split_rows(kept, dimensions))
    return Selection(points.ids, points.label, list(job.record.labels), vectors, named_by, job.record.total)


def _fit(job: Job, selection: Selection) -> None:
    """Compute a map anew."""
    vectors, points = selection.vectors, Points(selection.ids, selection.label)
    request = job.record.request
    request = replace(request, perplexity=fitting_perplexity(request.perplexity, len(vectors)))
    start = layout.initial_coordinates(vectors)
    centred_start = centred(start)
    # The initial layout is shown while neighbours are looked for.
    job.write(
        {
            **_selected(selection),
            "made": 0,
            "request": request.dump(),
            "scale": scale_of(centred_start),
            "clusters": [],
            "separation": None,
        }
        | _progress("affinities"),
        {"points": points.dump(), "xy": dump_xy(centred_start)},
    )
    neighbours = nearest_neighbours(vectors, max(NEIGHBOURS, int(3 * request.perplexity)))
    published = 0.0

    def publish(iteration: int, kl_divergence: float | None, coordinates: layout.Coordinates) -> None:
        nonlocal published
        now = time.monotonic()
        if now - published < PUBLISH_SECONDS:
            return
        published = now
        xy = centred(np.asarray(coordinates))
        job.write({"scale": scale_of(xy)} | _progress("optimizing", iteration, kl_divergence), {"xy": dump_xy(xy)})

    fitted = layout.fit(start, neighbours, request.perplexity, threads=job.context.threads, on_progress=publish)
    points.xy = centred(fitted.coordinates)
    job.write(
        {"scale": scale_of(points.xy)} | _progress("separating", layout.ITERATIONS, fitted.kl_divergence),
        {"xy": dump_xy(points.xy)},
    )
    points.cluster = group_vectors(vectors)
    _finish(job, selection, points, np.arange(len(vectors)), neighbours.indices)


def _add(job: Job, selection: Selection, before: Points) -> None:
    """Place new images into a map; old ones stay where they are, and those removed are left out."""
    vectors, points = selection.vectors, Points(selection.ids, selection.label)
    row_before = {one: row for row, one in enumerate(before.ids)}
    was = np.array([row_before.get(one, -1) for one in points.ids])
    old, new = np.flatnonzero(was >= 0), np.flatnonzero(was < 0)
    job.write(_progress("optimizing", layout.ITERATIONS))
    points.xy = np.empty((len(points.ids), 2), np.float32)
    points.xy[old] = before.xy[was[old]]
    points.cluster[old] = before.cluster[was[old]]
    points.new[old] = before.new[was[old]]
    centroids = centroids_of(vectors[old], points.cluster[old], int(before.cluster.max()) + 1)
    if len(new):
        perplexity = fitting_perplexity(job.record.request.perplexity, len(old))
        points.xy[new] = layout.transform(
            vectors[new], vectors[old], points.xy[old], perplexity, threads=job.context.threads
        )
        points.cluster[new] = nearest_group(vectors[new], centroids)
        points.new[new] = True
    # The page waits for the places; the figures follow.
    job.write(
        _selected(selection) | _progress("separating", layout.ITERATIONS),
        {"points": points.dump(), "xy": dump_xy(points.xy)},
    )
    rows = sampled(points.label, SAMPLED_POINTS)
    _finish(job, selection, points, rows, nearest_of(rows, vectors, NEIGHBOURS))


def _selected(selection: Selection) -> dict[str, Any]:
    """Return the fields that say what was selected; written with the points, whose labels are numbers of these."""
    return {"count": len(selection.ids), "total": selection.total, "labels": selection.labels}


def _finish(
    job: Job,
    selection: Selection,
    points: Points,
    rows: NDArray[np.intp],
    nearest: NDArray[np.int64],
) -> None:
    """Write clusters and separation of a map whose points have their places; `nearest` are those of `rows`."""
    # Of a map that pictures were added to, a cluster may be left without any.
    count = int(points.cluster.max()) + 1
    sizes = np.bincount(points.cluster, minlength=count).tolist()
    common = majority_names(points.cluster, points.label, selection.labels, count)
    names = job.context.namer(centroids_of(selection.named_by, points.cluster, count), sizes, common)
    data, xy = points.dump(), dump_xy(points.xy)
    job.write(
        {
            "clusters": map_clusters(points.cluster, names),
            "separation": label_separation(selection.vectors, rows, nearest, points.label, selection.labels),
            "made": 1,
            "size": len(data) + len(xy) + job.record.size // 4,
        },
        {"points": data, "xy": xy},
    )
    job.context.jobs.finish(job.run, "done")
