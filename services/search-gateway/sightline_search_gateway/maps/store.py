"""Maps in Redis: what each was asked to show, its state, and its points.

A map is a hash and a few values beside it, all of one prefix.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import orjson
import redis
from sightline_catalogue import ModelRef
from sightline_service.queues import QueueSettings, redis_client

from sightline_search_gateway.errors import Refused
from sightline_search_gateway.maps.points import COLUMNS, COORDINATES, Points, load_points
from sightline_search_gateway.maps.request import MapRequest
from sightline_search_gateway.maps.results import JobState, MapCluster, MapProgress, Separation
from sightline_search_gateway.maps.settings import MapSettings

if TYPE_CHECKING:
    from redis.client import Pipeline

    Fields = Mapping[str, Any]

PREFIX = "sightline:map:"
INDEX = "sightline:maps"
"""A sorted set of the maps' ids by the time they were last asked to be computed."""
MAX_KEPT = 200
"""Maps kept at most; the oldest go first."""
BYTES_A_POINT = 64
BYTES_A_MAP = 16_384
DAY = 86_400
PARTS = ("points", "xy", "vectors", "files")
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
        return BYTES_A_MAP + points + len(self.request.dump()) + sum(map(len, self.parts.values()))


@dataclass(frozen=True)
class MapRecord:
    """A map without its points.

    Attributes:
        job_id: Of the job that computes it; another one whenever it is asked for anew, empty once it is cancelled.
        run_id: Of the last worker's run of that job.
        version: Grows with every change, also from a map to the next of the same id.
        points_version, xy_version: That of the last change of the points' other columns, and of their coordinates.
        request: As asked, with the perplexity as used.
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

    @property
    def is_active(self) -> bool:
        """Whether it waits or is computed."""
        return self.state in ACTIVE

    def columns_since(self, version: int | None) -> tuple[str, ...]:
        """Return the columns of the points that may have changed since a version; all of them for None."""
        if version is None or version > self.version or self.points_version > version:
            return COLUMNS
        return COORDINATES if self.xy_version > version else ()


class MapStore:
    """The maps there are. Connects on first use; safe to use from several threads.

    Every method raises redis.RedisError where Redis does not answer. Those that take a pipeline add to it what is to be
    done, and leave it to the caller to execute it.
    """

    def __init__(self, queue: QueueSettings, settings: MapSettings) -> None:
        self._queue = queue
        self._settings = settings

    @cached_property
    def client(self) -> redis.Redis:
        """The connection pool, whose answers are bytes."""
        return redis_client(self._queue, decode_responses=False)

    def get(self, map_id: str) -> MapRecord | None:
        """Return a map; None where there is none."""
        fields = cast("dict[bytes, bytes]", self.client.hgetall(PREFIX + map_id))
        return _record(map_id, fields) if fields else None

    def all(self) -> list[MapRecord]:
        """Return all maps, the one that was last asked for first."""
        ids = [one.decode() for one in cast("list[bytes]", self.client.zrevrange(INDEX, 0, -1))]
        pipe = self.client.pipeline(transaction=False)
        for one in ids:
            pipe.hgetall(PREFIX + one)
        found = zip(ids, pipe.execute(), strict=True) if ids else ()
        return [_record(one, fields) for one, fields in found if fields]

    def points(self, map_id: str) -> Points | None:
        """Return the points of a map; None before its images are known."""
        points, xy = cast("list[bytes | None]", self.client.mget(f"{PREFIX}{map_id}:points", f"{PREFIX}{map_id}:xy"))
        return load_points(points, xy) if points is not None else None

    def part(self, map_id: str, name: str) -> bytes | None:
        """Return one of `PARTS` as it is kept; None where there is none."""
        return cast("bytes | None", self.client.get(f"{PREFIX}{map_id}:{name}"))

    def files(self, map_id: str) -> list[tuple[str, str]]:
        """Return SHA-256 and name of each picture of an uploaded map."""
        data = self.part(map_id, "files")
        return [(sha, name) for sha, name in orjson.loads(data)] if data else []

    def put(self, pipe: Pipeline, new: NewMap, job_id: str, before: MapRecord | None) -> None:
        """Write a map that waits for a worker.

        Args:
            pipe: Executes it.
            new: The map.
            job_id: Of its job.
            before: The map of this id that there is; if it was finished, its points stay.
        """
        now = time.time()
        keeps = before is not None and before.state == "done" and before.made
        # One that was deleted had lower versions: they are milliseconds where a map begins.
        version = max(before.version + 1 if before is not None else 0, int(now * 1000))
        key = PREFIX + new.id
        if not keeps:
            self._delete(pipe, new.id)
        pipe.hdel(key, "reason", "progress", "finished_at")
        fields = {
            "job_id": job_id,
            "run_id": "",
            "state": "queued",
            "request": new.request.dump(),
            "model": new.model,
            "created_at": before.created_at if keeps and before is not None else now,
            "asked_at": now,
            "total": new.total,
            "attempts": 0,
            "size": new.expected_size,
            "refused": list(new.refused),
        }
        if new.parts:
            fields["labels"] = list(new.labels)
        self.write(pipe, new.id, version, fields, new.parts)
        pipe.zadd(INDEX, {new.id: now})
        self.extend(pipe, new.id)

    def write(
        self, pipe: Pipeline, map_id: str, version: int, fields: Fields, parts: Mapping[str, bytes] | None = None
    ) -> None:
        """Write fields of a map's record, and parts of it, as a version."""
        parts = parts or {}
        versions = {"version": version} | {f"{name}_version": version for name in parts}
        pipe.hset(PREFIX + map_id, mapping={name: _field(value) for name, value in (versions | dict(fields)).items()})
        for name, data in parts.items():
            pipe.set(f"{PREFIX}{map_id}:{name}", data, ex=self._seconds)

    def extend(self, pipe: Pipeline, map_id: str) -> None:
        """Keep a map from now on for as long as maps are kept."""
        # A day longer than `expired` has it: what is forgotten in good order takes its thumbnails along.
        for key in (PREFIX + map_id, *(f"{PREFIX}{map_id}:{name}" for name in PARTS)):
            pipe.expire(key, self._seconds)

    def delete(self, map_id: str) -> None:
        """Forget a map."""
        pipe = self.client.pipeline()
        self._delete(pipe, map_id)
        pipe.zrem(INDEX, map_id)
        pipe.execute()

    def expired(self, *, room_for: int = 0) -> list[MapRecord]:
        """Return the maps to forget, so that number, bytes and age stay within bounds: the oldest, none in work.

        Args:
            room_for: Bytes that are about to be added, as one more map; 0 for none.
        """
        maps = self.all()
        oldest = time.time() - self._settings.keep_days * DAY
        gone = [one for one in maps if not one.is_active and one.asked_at < oldest]
        kept = [one for one in maps if one not in gone]
        count, size = len(kept) + bool(room_for), sum(one.size for one in kept) + room_for
        for one in reversed(kept):
            if count <= MAX_KEPT and size <= self._settings.max_bytes:
                break
            if not one.is_active:
                gone.append(one)
                count, size = count - 1, size - one.size
        return gone

    def close(self) -> None:
        """Close the connections; a later call opens them again."""
        self.client.close()

    def _delete(self, pipe: Pipeline, map_id: str) -> None:
        pipe.delete(PREFIX + map_id, *(f"{PREFIX}{map_id}:{name}" for name in PARTS))

    @property
    def _seconds(self) -> int:
        return int((self._settings.keep_days + 1) * DAY)


def _field(value: Any) -> Any:
    return orjson.dumps(value) if isinstance(value, dict | list | tuple) or value is None else value


def _record(map_id: str, fields: Mapping[bytes, bytes]) -> MapRecord:
    def number(name: str) -> float:
        return float(fields.get(name.encode(), b"0") or 0)

    def text(name: str) -> str:
        return fields.get(name.encode(), b"").decode()

    def value(name: str) -> Any:
        data = fields.get(name.encode())
        return orjson.loads(data) if data else None

    return MapRecord(
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
