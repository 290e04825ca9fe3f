"""Maps in Redis: what was asked, how each stands, and its points.

A map is a hash and a few values beside it, all of one prefix. What a worker writes is taken only while the map is its
own: each run has a name, which changes when the map is cancelled, asked for anew, or taken from a worker that is gone.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson
import redis
from sightline_service.queues import QueueSettings, redis_client

from sightline_search_gateway.maps.points import COLUMNS, COORDINATES, Points, load_points
from sightline_search_gateway.maps.request import MapRequest
from sightline_search_gateway.maps.settings import MapSettings

PREFIX = "sightline:map:"
INDEX = "sightline:maps"
"""A sorted set of the maps' ids by the time they were last asked to be computed."""
WORKER = "sightline:map-worker"
"""Is there while a worker is."""
WORKER_SECONDS = 15
BEAT_SECONDS = 2.0
SILENT_SECONDS = 15.0
"""A running map of which nothing was heard for so long has lost its worker."""
MOST_TRIES = 2
MAX_KEPT = 200
"""Maps kept at most; the oldest go first."""
BYTES_A_POINT = 64
BYTES_A_MAP = 16_384
DAY = 86_400
PARTS = ("points", "xy", "vectors", "files")
ACTIVE = ("queued", "running")

# Each returns 1 where the map was as it had to be.
_CLAIM = """
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'state') ~= 'queued' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'running', 'beat', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'tries', 1)
redis.call('HINCRBY', KEYS[1], 'version', 1)
return 1
"""
_WRITE = """
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 0 end
local fields = tonumber(ARGV[3])
if fields > 0 then redis.call('HSET', KEYS[1], unpack(ARGV, 4, 3 + fields)) end
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
for place = 2, #KEYS do
  redis.call('SET', KEYS[place], ARGV[2 + fields + place], 'EX', ARGV[2])
  redis.call('HSET', KEYS[1], string.match(KEYS[place], '%a+$') .. '_version', version)
end
return 1
"""
_MOVE = """
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'state') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('HINCRBY', KEYS[1], 'version', 1)
return 1
"""
_BEAT = """
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 0 end
redis.call('HSET', KEYS[1], 'beat', ARGV[2])
return 1
"""


@dataclass(frozen=True)
class MapRecord:
    """A map without its points.

    Attributes:
        run: The name of the present run; what another one writes is not taken.
        version: Grows with every change, also from a map to the next of the same id.
        points_version, xy_version: That of the last change of the points' other columns, and of their coordinates.
        request: As asked, with the perplexity as used.
        model: Id and fingerprint of the vectors' model.
        count: Points; 0 while that is not known.
        total: Pictures that matched before the sample was taken.
        scale: Brings coordinates into -1 to 1.
        selected_at: When the pictures were looked up, seconds since 1970.
        beat: When its worker was last heard of.
        tries: How many workers have begun it.
        made: Whether its points are a finished map's, into which others may be placed.
    """

    id: str
    run: str
    version: int
    state: str
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
    beat: float = 0.0
    tries: int = 0
    size: int = 0
    made: bool = False
    progress: dict[str, Any] | None = None
    labels: tuple[str, ...] = ()
    clusters: tuple[dict[str, Any], ...] = ()
    separation: dict[str, Any] | None = None
    refused: tuple[dict[str, str], ...] = ()

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

    Every method raises redis.RedisError where Redis does not answer.
    """

    def __init__(self, queue: QueueSettings, settings: MapSettings) -> None:
        self._queue = queue
        self._settings = settings
        self._client: redis.Redis | None = None

    def get(self, map_id: str) -> MapRecord | None:
        """Return a map; None where there is none."""
        fields = cast("dict[bytes, bytes]", self._redis.hgetall(PREFIX + map_id))
        return _record(map_id, fields) if fields else None

    def all(self) -> list[MapRecord]:
        """Return all maps, the one that was last asked for first."""
        ids = [one.decode() for one in cast("list[bytes]", self._redis.zrevrange(INDEX, 0, -1))]
        pipe = self._redis.pipeline(transaction=False)
        for one in ids:
            pipe.hgetall(PREFIX + one)
        found = zip(ids, pipe.execute(), strict=True) if ids else ()
        return [_record(one, fields) for one, fields in found if fields]

    def points(self, map_id: str) -> Points | None:
        """Return the points of a map; None before its pictures are known."""
        points, xy = cast("list[bytes | None]", self._redis.mget(f"{PREFIX}{map_id}:points", f"{PREFIX}{map_id}:xy"))
        return load_points(points, xy) if points is not None else None

    def part(self, map_id: str, name: str) -> bytes | None:
        """Return one of `PARTS` as it is kept; None where there is none."""
        return cast("bytes | None", self._redis.get(f"{PREFIX}{map_id}:{name}"))

    def files(self, map_id: str) -> list[tuple[str, str]]:
        """Return SHA-256 and name of each picture of an uploaded map."""
        data = self.part(map_id, "files")
        return [(sha, name) for sha, name in orjson.loads(data)] if data else []

    def put(
        self,
        map_id: str,
        request: MapRequest,
        model: Mapping[str, str],
        *,
        total: int,
        before: MapRecord | None = None,
        parts: Mapping[str, bytes] | None = None,
        labels: Iterable[str] = (),
        refused: Iterable[Mapping[str, str]] = (),
    ) -> MapRecord:
        """Have a map wait for a worker; return it.

        Args:
            map_id: The request's.
            request: What to show.
            model: Id and fingerprint.
            total: Pictures that match.
            before: The map of this id that there is; if it was finished, its points stay.
            parts: What else to keep, by name.
            labels: Where the pictures are known already.
            refused: Files of an upload that could not be used.
        """
        now = time.time()
        keeps = before is not None and before.state == "done" and before.made
        # One that was deleted had lower numbers: they are milliseconds where a map begins.
        version = max(before.version + 1 if before is not None else 0, int(now * 1000))
        fields: dict[Any, Any] = {
            "version": version,
            "run": uuid.uuid4().hex,
            "state": "queued",
            "request": request.dump(),
            "model": orjson.dumps(dict(model)),
            "created_at": before.created_at if keeps and before is not None else now,
            "asked_at": now,
            "total": total,
            "tries": 0,
            "beat": now,
            "size": self.expected_size(request, total, parts),
            "refused": orjson.dumps([dict(one) for one in refused]),
        }
        if parts:
            fields["labels"] = orjson.dumps(list(labels))
        pipe = self._redis.pipeline()
        key = PREFIX + map_id
        if not keeps:
            pipe.delete(key, *(f"{key}:{name}" for name in PARTS))
        pipe.hdel(key, "reason", "progress", "finished_at")
        pipe.hset(key, mapping=fields)
        for name, data in (parts or {}).items():
            pipe.hset(key, f"{name}_version", version)
            pipe.set(f"{key}:{name}", data, ex=self._seconds)
        pipe.zadd(INDEX, {map_id: now})
        self._keep(pipe, map_id)
        pipe.execute()
        record = self.get(map_id)
        assert record is not None
        return record

    def claim(self, map_id: str, run: str) -> MapRecord | None:
        """Take a waiting map; None where it no longer waits under this name."""
        if not self._script(_CLAIM, [PREFIX + map_id], [run, time.time()]):
            return None
        return self.get(map_id)

    def write(self, map_id: str, run: str, fields: Mapping[str, Any], parts: Mapping[str, bytes] | None = None) -> bool:
        """Write what a worker found out; False where the map is no longer its own."""
        parts = parts or {}
        flat = [item for name, value in {"beat": time.time(), **fields}.items() for item in (name, _field(value))]
        keys = [PREFIX + map_id, *(f"{PREFIX}{map_id}:{name}" for name in parts)]
        return self._script(_WRITE, keys, [run, self._seconds, len(flat), *flat, *parts.values()])

    def beat(self, map_id: str, run: str) -> bool:
        """Say that a map's worker is well; False where the map is no longer its own."""
        return self._script(_BEAT, [PREFIX + map_id], [run, time.time()])

    def finish(self, map_id: str, run: str, state: str, reason: str | None = None) -> bool:
        """End a run as done or failed; False where the map is no longer its own."""
        fields = {"state": state, "finished_at": time.time(), "reason": reason or ""}
        done = self._move(map_id, run, "running", fields)
        if done:
            pipe = self._redis.pipeline()
            pipe.delete(f"{PREFIX}{map_id}:vectors")
            self._keep(pipe, map_id)
            pipe.execute()
        return done

    def hand_back(self, record: MapRecord, *, blameless: bool = False) -> MapRecord | None:
        """Have a running map wait again, under a new name; None where it is no longer as the record says.

        Args:
            record: The map.
            blameless: The worker stopped in good order: that does not count as a try.
        """
        fields: dict[str, Any] = {"state": "queued", "run": uuid.uuid4().hex, "asked_at": time.time()}
        if blameless:
            fields["tries"] = max(0, record.tries - 1)
        return self.get(record.id) if self._move(record.id, record.run, "running", fields) else None

    def cancel(self, record: MapRecord) -> bool:
        """Cancel a waiting or running map; False where it is neither any longer."""
        fields = {"state": "cancelled", "finished_at": time.time(), "run": "", "reason": "It was cancelled."}
        return any(self._move(record.id, record.run, state, fields) for state in ACTIVE)

    def delete(self, map_id: str) -> None:
        """Forget a map."""
        pipe = self._redis.pipeline()
        pipe.delete(PREFIX + map_id, *(f"{PREFIX}{map_id}:{name}" for name in PARTS))
        pipe.zrem(INDEX, map_id)
        pipe.execute()

    def superfluous(self, *, room_for: int = 0) -> list[MapRecord]:
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

    def say_worker_is_there(self) -> None:
        """Say that a worker is there, for the next seconds."""
        self._redis.set(WORKER, "1", ex=WORKER_SECONDS)

    def worker_is_there(self) -> bool:
        """Return whether a worker has said so lately."""
        return bool(self._redis.exists(WORKER))

    def close(self) -> None:
        """Close the connections; a later call opens them again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def expected_size(self, request: MapRequest, total: int, parts: Mapping[str, bytes] | None = None) -> int:
        """Return about how many bytes a map will take, with what is kept of an upload."""
        points = min(request.sample, total) * BYTES_A_POINT
        return BYTES_A_MAP + points + len(request.dump()) + sum(map(len, (parts or {}).values()))

    def _move(self, map_id: str, run: str, state: str, fields: Mapping[str, Any]) -> bool:
        flat = [item for name, value in fields.items() for item in (name, _field(value))]
        return self._script(_MOVE, [PREFIX + map_id], [run, state, *flat])

    def _keep(self, pipe: Any, map_id: str) -> None:
        # A day longer than the index has them: what is forgotten in good order takes its thumbnails along.
        for key in (PREFIX + map_id, *(f"{PREFIX}{map_id}:{name}" for name in PARTS)):
            pipe.expire(key, self._seconds)

    def _script(self, script: str, keys: list[str], arguments: list[Any]) -> bool:
        return bool(self._redis.eval(script, len(keys), *keys, *arguments))

    @property
    def _seconds(self) -> int:
        return int((self._settings.keep_days + 1) * DAY)

    @property
    def _redis(self) -> redis.Redis:
        if self._client is None:
            self._client = redis_client(self._queue, decode_responses=False)
        return self._client


def _field(value: Any) -> Any:
    return orjson.dumps(value) if isinstance(value, dict | list | tuple) or value is None else value


def _record(map_id: str, fields: Mapping[bytes, bytes]) -> MapRecord:
    def number(name: str) -> float:
        return float(fields.get(name.encode(), b"0") or 0)

    def value(name: str) -> Any:
        data = fields.get(name.encode())
        return orjson.loads(data) if data else None

    return MapRecord(
        id=map_id,
        run=fields.get(b"run", b"").decode(),
        version=int(number("version")),
        points_version=int(number("points_version")),
        xy_version=int(number("xy_version")),
        state=fields.get(b"state", b"failed").decode(),
        request=MapRequest.load(fields[b"request"]),
        model=value("model"),
        created_at=number("created_at"),
        asked_at=number("asked_at"),
        reason=fields.get(b"reason", b"").decode() or None,
        finished_at=number("finished_at") or None,
        count=int(number("count")),
        total=int(number("total")),
        scale=number("scale") or 1.0,
        selected_at=number("selected_at"),
        beat=number("beat"),
        tries=int(number("tries")),
        size=int(number("size")),
        made=number("made") == 1,
        progress=value("progress"),
        labels=tuple(value("labels") or ()),
        clusters=tuple(value("clusters") or ()),
        separation=value("separation"),
        refused=tuple(value("refused") or ()),
    )
