"""A map without its points: as it is requested, and as Redis keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from sightline_catalogue import ModelRef

from sightline_search_gateway.errors import Refused
from sightline_search_gateway.maps.points import COLUMNS, COORDINATES
from sightline_search_gateway.maps.request import MapRequest
from sightline_search_gateway.maps.results import JobState, MapCluster, MapProgress, Separation

BYTES_A_POINT = 64
BYTES_A_MAP = 16_384
ACTIVE = ("queued", "running")


@dataclass(frozen=True)
class NewMap:
    """A map that is to be computed.

    Attributes:
        model: Id and fingerprint of the vectors' model.
        total: Images that match.
        parts: Of an upload: what the worker needs, by the names of `PARTS`.
        labels: Of an upload, by number.
        refused: Files of an upload that could not be used, with reasons.
    """

    id: str
    request: MapRequest
    model: dict[str, str]
    total: int
    parts: Mapping[str, bytes] = field(default_factory=dict)
    labels: Sequence[str] = ()
    refused: Sequence[Refused] = ()

    @classmethod
    def of(cls, request: MapRequest, model: ModelRef, total: int, **upload: Any) -> NewMap:
        """Return the map of a request of one model's vectors."""
        ref = {"id": model.id, "fingerprint": model.fingerprint}
        return cls(request.map_id(model.fingerprint), request, ref, total, **upload)

    @property
    def expected_size(self) -> int:
        """About how many bytes it will take, with what is kept of an upload."""
        points = min(self.request.sample, self.total) * BYTES_A_POINT
        told = orjson.dumps([*self.labels, *self.refused])
        return BYTES_A_MAP + points + len(self.request.dump()) + len(told) + sum(map(len, self.parts.values()))


@dataclass(frozen=True)
class MapRecord:
    """A map without its points.

    Attributes:
        job_id: Of the job that computes it; a new one for each request, empty once it is cancelled.
        run_id: Of the last worker's run of that job.
        version: Grows with every change, also from a map to the next of the same id.
        points_version, xy_version: That of the last change of the points' other columns, and of their coordinates.
        request: With the perplexity as used.
        model: Id and fingerprint of the vectors' model.
        count: Points; 0 while that is not known.
        total: Images that matched before the sample was taken.
        scale: Brings coordinates into -1 to 1.
        selected_at: When the images were looked up, seconds since 1970.
        attempts: How many workers have begun the job.
        made: Whether its points are a finished map's, into which others may be placed.
    """

    id: str
    job_id: str
    run_id: str
    version: int
    state: JobState
    request: MapRequest
    model: dict[str, str]
    created_at: float
    asked_at: float
    points_version: int = 0
    xy_version: int = 0
    reason: str | None = None
    finished_at: float | None = None
    count: int = 0
    total: int = 0
    scale: float = 1.0
    selected_at: float = 0.0
    attempts: int = 0
    size: int = 0
    made: bool = False
    progress: MapProgress | None = None
    labels: tuple[str, ...] = ()
    clusters: tuple[MapCluster, ...] = ()
    separation: Separation | None = None
    refused: tuple[Refused, ...] = ()

    @classmethod
    def load(cls, map_id: str, fields: Mapping[bytes, bytes]) -> MapRecord:
        """Return the record of a map's hash in Redis."""

        def number(name: str) -> float:
            return float(fields.get(name.encode(), b"0") or 0)

        def text(name: str) -> str:
            return fields.get(name.encode(), b"").decode()

        def value(name: str) -> Any:
            data = fields.get(name.encode())
            return orjson.loads(data) if data else None

        return cls(
            id=map_id,
            job_id=text("job_id"),
            run_id=text("run_id"),
            version=int(number("version")),
            points_version=int(number("points_version")),
            xy_version=int(number("xy_version")),
            state=cast("JobState", text("state") or "failed"),
            request=MapRequest.load(fields[b"request"]),
            model=value("model"),
            created_at=number("created_at"),
            asked_at=number("asked_at"),
            reason=text("reason") or None,
            finished_at=number("finished_at") or None,
            count=int(number("count")),
            total=int(number("total")),
            scale=number("scale") or 1.0,
            selected_at=number("selected_at"),
            attempts=int(number("attempts")),
            size=int(number("size")),
            made=number("made") == 1,
            progress=value("progress"),
            labels=tuple(value("labels") or ()),
            clusters=tuple(value("clusters") or ()),
            separation=value("separation"),
            refused=tuple(value("refused") or ()),
        )

    @property
    def is_active(self) -> bool:
        """Whether it waits or is computed."""
        return self.state in ACTIVE

    def columns_since(self, version: int | None) -> tuple[str, ...]:
        """Return the columns of the points that may have changed since a version; all of them for None."""
        if version is None or version > self.version or self.points_version > version:
            return COLUMNS
        return COORDINATES if self.xy_version > version else ()
