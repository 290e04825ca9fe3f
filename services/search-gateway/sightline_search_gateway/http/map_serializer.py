"""A map as it goes into an answer."""

from __future__ import annotations

from datetime import UTC, datetime

from sightline_search_gateway.http.serializers import PREFIX
from sightline_search_gateway.maps.points import point_shape
from sightline_search_gateway.maps.service import MapView
from sightline_search_gateway.schemas.maps import MapState
from sightline_search_gateway.schemas.search import ModelRef


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
        request=record.request.asked(),
        model=ModelRef(id=record.model["id"], fingerprint=record.model["fingerprint"]),
        created_at=datetime.fromtimestamp(record.created_at, UTC),
        finished_at=datetime.fromtimestamp(record.finished_at, UTC) if record.finished_at else None,
        count=record.count,
        total=record.total,
        progress=record.progress,
        labels=record.labels,
        points=point_shape(points, record.scale, view.columns) if points is not None else None,
        thumbnails=thumbnails,
        clusters=record.clusters,
        separation=record.separation,
        stale=view.stale,
        refused=record.refused,
    )
