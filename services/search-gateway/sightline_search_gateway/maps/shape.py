"""A map as it goes into an answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sightline_search_gateway.http.serializers import PREFIX
from sightline_search_gateway.maps.points import point_shape
from sightline_search_gateway.maps.service import MapView


def map_shape(view: MapView) -> dict[str, Any]:
    """Return the JSON shape of a map; datetimes stay datetimes, arrays arrays."""
    record, points = view.record, view.points
    if record.request.upload is None:
        thumbnails = f"{PREFIX}/images/{{id}}/thumbnail"
    else:
        thumbnails = f"{PREFIX}/maps/{record.id}/points/{{index}}/thumbnail"
    return {
        "id": record.id,
        "version": record.version,
        "state": record.state,
        "reason": record.reason,
        "request": record.request.shape(),
        "model": record.model,
        "created_at": _moment(record.created_at),
        "finished_at": _moment(record.finished_at),
        "count": record.count,
        "total": record.total,
        "progress": record.progress,
        "labels": record.labels,
        "points": point_shape(points, record.scale, view.columns) if points is not None else None,
        "thumbnails": thumbnails,
        "clusters": record.clusters,
        "separation": record.separation,
        "stale": view.stale,
        "refused": record.refused,
    }


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
