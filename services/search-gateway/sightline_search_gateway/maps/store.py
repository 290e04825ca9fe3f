"""Maps in Redis: each one's request, state and points.

A map is a hash and a few values beside it, all of one prefix.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import orjson
import redis
from sightline_service.queues import QueueSettings, redis_client

from sightline_search_gateway.maps.points import Points, load_points
from sightline_search_gateway.maps.record import MapRecord, NewMap
from sightline_search_gateway.maps.settings import MapSettings

if TYPE_CHECKING:
    from redis.client import Pipeline

    Fields = Mapping[str, Any]

PREFIX = "sightline:map:"
INDEX = "sightline:maps"
"""A sorted set of the maps' ids by the time of their last request."""
MAX_KEPT = 200
"""Maps kept at most; the oldest go first."""
DAY = 86_400
PARTS = ("points", "xy", "vectors", "files")


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
        return MapRecord.load(map_id, fields) if fields else None

    def all(self) -> list[MapRecord]:
        """Return all maps, the one requested last first."""
        ids = [one.decode() for one in cast("list[bytes]", self.client.zrevrange(INDEX, 0, -1))]
        pipe = self.client.pipeline(transaction=False)
        for one in ids:
            pipe.hgetall(PREFIX + one)
        found = zip(ids, pipe.execute(), strict=True) if ids else ()
        return [MapRecord.load(one, fields) for one, fields in found if fields]

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
