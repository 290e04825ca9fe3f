"""Which keys ended a worker process: kept in Redis, so that one bad picture cannot end workers for ever.

A process writes down the keys that it is about to read and strikes them out when it is done. Keys that stand there
under a process that is gone were being read when it ended. Only after a picture ended processes three times while it
was read alone is it recorded as failed; its neighbours are read in the meantime.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

import redis
import structlog

log = structlog.get_logger()

UNDER_WAY = "sightline:ingest:under-way"
CRASHES = "sightline:ingest:crashes"
CRASHES_SECONDS = 7 * 24 * 3600


def is_alive(pid: int, started: float) -> bool:
    """Return whether the process of that id is the one that began then."""
    return process_start(pid) == started


def process_start(pid: int) -> float:
    """Return when a process began, in the kernel's ticks since boot; 0 if there is none.

    A process id may be given again to another process; id and start together are not.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return float(file.read().rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0.0


@dataclass
class Journal:
    """The journal of one process.

    Args:
        client: Redis; where it is away nothing is written and nothing known, which costs the bound only.
        node: The worker's name: processes of one node see each other's process ids.
    """

    client: redis.Redis
    node: str

    def begin(self, keys: Sequence[str]) -> dict[str, int]:
        """Write down the keys, and return how many processes each of them ended before; no entry means none."""
        try:
            self._sweep()
            pid = os.getpid()
            entry = json.dumps({"keys": list(keys), "started": process_start(pid)})
            pipe = self.client.pipeline(transaction=False)
            pipe.hset(f"{UNDER_WAY}:{self.node}", str(pid), entry)
            pipe.hmget(CRASHES, list(keys))
            counts = pipe.execute()[1]
        except redis.RedisError as error:
            log.warning("journal not written", error=str(error))
            return {}
        return {key: int(count) for key, count in zip(keys, counts, strict=True) if count}

    def end(self, cleared: Sequence[str] = ()) -> None:
        """Strike out what this process wrote down; `cleared` keys did no harm after all."""
        try:
            pipe = self.client.pipeline(transaction=False)
            pipe.hdel(f"{UNDER_WAY}:{self.node}", str(os.getpid()))
            if cleared:
                pipe.hdel(CRASHES, *cleared)
            pipe.execute()
        except redis.RedisError as error:
            log.warning("journal not written", error=str(error))

    def _sweep(self) -> None:
        """Count a crash for each key that a process of this node left behind."""
        entries = self.client.hgetall(f"{UNDER_WAY}:{self.node}")
        for pid, entry in entries.items():
            left = json.loads(entry)
            if is_alive(int(pid), left["started"]):
                continue
            # Of several that see it, the one that strikes it out counts it.
            if self.client.hdel(f"{UNDER_WAY}:{self.node}", pid):
                pipe = self.client.pipeline(transaction=False)
                for key in left["keys"]:
                    pipe.hincrby(CRASHES, key, 1)
                pipe.expire(CRASHES, CRASHES_SECONDS)
                pipe.execute()
                log.warning("a worker process ended while it read", pid=int(pid), keys=len(left["keys"]))
