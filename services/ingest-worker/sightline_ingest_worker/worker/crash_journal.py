"""The crash journal: counts in Redis how often decoding a key ended its process, so that a bad file is given up.

A process records the keys that it is about to decode, and removes them when it is done. The recorded keys of a process
that no longer exists were being decoded when it ended: it crashed, ran out of memory, or was killed at its time limit.
Waiting for a service, the bucket included, never counts against a key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence

import redis
import structlog
from sightline_service.process_identity import is_alive, process_start

from sightline_ingest_worker.worker.metrics import TASKS

log = structlog.get_logger()

UNDER_WAY = "sightline:ingest:under-way"
CRASHES = "sightline:ingest:crashes"
CRASHES_SECONDS = 7 * 24 * 3600


class CrashJournal:
    """The journal as one process uses it.

    While Redis does not answer nothing is recorded, so that crashes are not counted; indexing goes on.

    Args:
        client: Redis.
        node: The worker's name: processes of one node see each other's process ids.
    """

    def __init__(self, client: redis.Redis, node: str) -> None:
        self._client = client
        self._under_way = f"{UNDER_WAY}:{node}"
        self._pid = os.getpid()
        self._started = process_start(self._pid)

    def crashes(self, keys: Sequence[str]) -> dict[str, int]:
        """Return how many processes each key may have ended; no entry means none."""
        try:
            self._count_crashes()
            counts = self._client.hmget(CRASHES, list(keys))
        except redis.RedisError as error:
            log.warning("crash journal not read", error=str(error))
            return {}
        return {key: int(count) for key, count in zip(keys, counts, strict=True) if count}

    def begin(self, keys: Sequence[str]) -> None:
        """Record the keys that this process decodes now, in place of those that it recorded before."""
        entry = json.dumps({"keys": list(keys), "started": self._started})
        self._try(lambda: self._client.hset(self._under_way, str(self._pid), entry))

    def end(self) -> None:
        """Remove what this process recorded."""
        self._try(lambda: self._client.hdel(self._under_way, str(self._pid)))

    def clear(self, keys: Sequence[str]) -> None:
        """Delete the crashes counted for some keys."""
        if keys:
            self._try(lambda: self._client.hdel(CRASHES, *keys))

    def _try(self, call: Callable[[], object]) -> None:
        try:
            call()
        except redis.RedisError as error:
            log.warning("crash journal not written", error=str(error))

    def _count_crashes(self) -> None:
        """Count a crash for each key that a process of this node left behind."""
        entries = self._client.hgetall(self._under_way)
        for pid, entry in entries.items():
            left = json.loads(entry)
            if is_alive(int(pid), left["started"]):
                continue
            # Several processes may see it: the one whose removal succeeds counts it.
            if self._client.hdel(self._under_way, pid):
                pipe = self._client.pipeline(transaction=False)
                for key in left["keys"]:
                    pipe.hincrby(CRASHES, key, 1)
                pipe.expire(CRASHES, CRASHES_SECONDS)
                pipe.execute()
                TASKS.labels("crashed").inc()
                log.warning("a worker process ended while it decoded", pid=int(pid), keys=left["keys"])
