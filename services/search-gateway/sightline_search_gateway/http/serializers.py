"""What the services return, as answers have it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import zip_longest
from math import isnan
from typing import Any, cast

import numpy as np
import sightline_catalogue as catalogue

from sightline_search_gateway.images.duplicates import best_of
from sightline_search_gateway.maps.points import COLUMNS, Points
from sightline_search_gateway.maps.request import MapRequest
from sightline_search_gateway.maps.results import AskedMap, MapPoints
from sightline_search_gateway.maps.service import MapView
from sightline_search_gateway.schemas.duplicates import DuplicateGroup, DuplicateGroups
from sightline_search_gateway.schemas.facets import Facets
from sightline_search_gateway.schemas.images import Image, ImageDetails, Images, ShownState
from sightline_search_gateway.schemas.ingest import Failure, Failures
from sightline_search_gateway.schemas.maps import MapState
from sightline_search_gateway.schemas.search import ModelRef, SearchResults
from sightline_search_gateway.search.relevance import judgement
from sightline_search_gateway.search.service import SearchOutcome

PREFIX = "/api/v1"
COORDINATE_DECIMALS = 4


def version_of(image: catalogue.Image) -> str | None:
    """Return what changes in a picture's addresses when its bytes do."""
    return image.sha256[:16] if image.sha256 else None


def is_version(image: catalogue.Image, query: dict[str, str]) -> bool:
    """Return whether an address names the very version that the catalogue has."""
    return query.get("v") is not None and query["v"] == version_of(image)


def serialize_image(image: catalogue.Image, copies: int | None = None) -> Image:
    """Return an image as an answer has it, with the number of its copies; datetimes but `taken_at` stay datetimes."""
    base = f"{PREFIX}/images/{image.id}/"
    version = version_of(image)
    query = f"?v={version}" if version else ""
    return {
        "id": image.id,
        "key": image.key,
        "name": image.key.rpartition("/")[2],
        "label": image.label,
        "folders": image.folders,
        # The catalogue gives none that is removed.
        "state": cast("ShownState", image.state),
        "reason": image.reason,
        "sha256": image.sha256,
        "width": image.width,
        "height": image.height,
        "format": image.format,
        "bytes": image.bytes,
        "taken_at": wall_time_text(image.taken_at),
        "taken_offset": image.taken_offset,
        "camera": image.camera,
        "note": image.note,
        "modified_at": image.modified_at,
        "indexed_at": image.indexed_at,
        "copies": copies,
        "thumbnail_url": f"{base}thumbnail{query}",
        "preview_url": f"{base}preview{query}",
        "file_url": f"{base}file{query}",
    }


def wall_time_text(wall_time: datetime | None) -> str | None:
    """Return a wall time, which has no offset, as an answer has it."""
    return None if wall_time is None else wall_time.isoformat()


def serialize_details(image: catalogue.Image, copies: int) -> ImageDetails:
    """Return an image with all that is known of it and the number of its copies, as an answer has it."""
    place = image.place
    return {
        **serialize_image(image, copies),
        "taken_from": image.taken_from,
        "place": None if place is None else {"latitude": place[0], "longitude": place[1]},
        "lens": image.lens,
        "rating": image.rating,
        "title": image.title,
        "keywords": image.keywords,
        "added_at": image.added_at,
    }


def serialize_page(page: catalogue.Page) -> Images:
    """Return a page of images as an answer has it."""
    images = [serialize_image(*one) for one in zip_longest(page.images, page.copies or ())]
    return {"images": images, "cursor": page.cursor}


def serialize_facets(counts: Mapping[catalogue.Facet, Mapping[str, int]]) -> Facets:
    """Return how many images have each value, by field, as an answer has it."""
    return {
        "facets": [
            {"field": field, "values": [{"value": value, "count": count} for value, count in values.items()]}
            for field, values in counts.items()
        ]
    }


def serialize_groups(page: catalogue.GroupPage) -> DuplicateGroups:
    """Return a page of groups of copies or bursts as an answer has it."""
    return {"groups": [_serialize_group(group) for group in page.groups], "cursor": page.cursor}


def _serialize_group(group: catalogue.Group) -> DuplicateGroup:
    best = best_of(group.images)
    total = sum(image.bytes or 0 for image in group.images)
    return {
        "kind": group.kind,
        "images": [serialize_image(image) for image in group.images],
        "count": group.count,
        "best_id": best.id,
        "bytes": total,
        "saved_bytes": total - (best.bytes or 0),
    }


def serialize_failures(page: catalogue.Page) -> Failures:
    """Return a page of images that failed as an answer has it."""
    failures = [
        Failure(id=one.id, key=one.key, reason=one.reason, attempts=one.attempts, next_try_at=one.next_try_at)
        for one in page.images
    ]
    return {"failures": failures, "cursor": page.cursor}


def serialize_search(outcome: SearchOutcome, seconds: float) -> SearchResults:
    """Return what a search found as an answer has it, so many seconds after the request arrived."""
    query, found, timings, model = outcome.query, outcome.found, outcome.timings, outcome.model
    rounded = np.round(found.similarities.astype(np.float64), 6).tolist()
    similarities = [None if isnan(similarity) else similarity for similarity in rounded]
    named = outcome.named
    return {
        "query": {
            "text": query.text,
            "image_id": query.image_ids[0] if len(query.image_ids) == 1 else None,
            "limit": outcome.params.limit,
            "offset": outcome.params.offset,
            "excluded": [part.text for part in query.excluded if part.text is not None],
            "filters": [
                {"field": term.field, "value": term.value, "excluded": term.excluded} for term in outcome.terms
            ],
        },
        "model": None if model is None else {"id": model.id, "fingerprint": model.fingerprint},
        "results": [
            {
                **serialize_image(image, copies),
                "similarity": similarity,
                "probability": None if probability is None else round(probability, 4),
                "relevance": judgement(probability),
                "cluster": cluster,
            }
            for image, copies, similarity, probability, cluster in zip_longest(
                found.images, found.copies or (), similarities, outcome.probabilities, outcome.graph.cluster_of
            )
        ],
        "named": None
        if named is None
        else {"total": named.total, "results": [serialize_image(image) for image in named.images]},
        "clusters": outcome.graph.clusters,
        "edges": outcome.graph.edges,
        "relevance": outcome.relevance,
        "timings": {
            "encode_ms": round(timings.encode * 1000, 3),
            "search_ms": round(timings.search * 1000, 3),
            "named_ms": round(timings.named * 1000, 3),
            "cluster_ms": round(timings.cluster * 1000, 3),
            "total_ms": round(seconds * 1000, 3),
        },
    }


def serialize_map(view: MapView) -> MapState:
    """Return a map as an answer has it; datetimes stay datetimes, arrays arrays."""
    record, points = view.record, view.points
    if record.request.upload is None:
        thumbnails = f"{PREFIX}/images/{{id}}/thumbnail"
    else:
        thumbnails = f"{PREFIX}/maps/{record.id}/points/{{index}}/thumbnail"
    return MapState(
        id=record.id,
        version=record.version,
        state=record.state,
        reason=record.reason,
        request=serialize_map_request(record.request),
        model=ModelRef(id=record.model["id"], fingerprint=record.model["fingerprint"]),
        created_at=datetime.fromtimestamp(record.created_at, UTC),
        finished_at=datetime.fromtimestamp(record.finished_at, UTC) if record.finished_at else None,
        count=record.count,
        total=record.total,
        progress=record.progress,
        labels=record.labels,
        points=serialize_points(points, record.scale, view.columns) if points is not None else None,
        thumbnails=thumbnails,
        clusters=record.clusters,
        separation=record.separation,
        stale=view.stale,
        refused=record.refused,
    )


def serialize_map_request(request: MapRequest) -> AskedMap:
    """Return the request of a map as an answer repeats it; ids, of which there may be many, by their number alone."""
    fields = asdict(request) | {"ids": len(request.ids), "upload": request.upload is not None}
    fields["filters"] = request.given_filters
    fields |= {"after": wall_time_text(request.after), "before": wall_time_text(request.before)}
    return cast("AskedMap", fields)


def serialize_points(points: Points, scale: float, columns: Collection[str] = COLUMNS) -> MapPoints | None:
    """Return the points of a map as an answer has them; None while they have no coordinates.

    Args:
        points: n points.
        scale: Of the map; a point that was placed later may lie beyond its edge and is shown at it.
        columns: The others are None.
    """
    if len(points.xy) != len(points.ids):
        return None
    xy = np.round(np.clip(points.xy.astype(np.float64) * scale, -1, 1), COORDINATE_DECIMALS)
    values: dict[str, Any] = {
        "ids": points.ids,
        "x": np.ascontiguousarray(xy[:, 0]),
        "y": np.ascontiguousarray(xy[:, 1]),
    }
    values |= {"label": points.label, "cluster": points.cluster, "new": points.new}
    return cast("MapPoints", {name: values[name] if name in columns else None for name in COLUMNS})
