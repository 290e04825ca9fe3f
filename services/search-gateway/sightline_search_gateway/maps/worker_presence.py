"""Which map workers are running: each sets two keys that expire. Imports little, since a health check runs it.

The stream's group knows its consumers too, but Redis before 7.2 does not count one that waits as active.
"""

from __future__ import annotations

import math

import redis

ANY_WORKER = "sightline:map-worker"


def announce(client: redis.Redis, worker: str, seconds: float) -> None:
    """Make a worker count as running for some seconds."""
    pipe = client.pipeline()
    for key in (ANY_WORKER, f"{ANY_WORKER}:{worker}"):
        pipe.set(key, "1", ex=math.ceil(seconds))
    pipe.execute()


def is_there(client: redis.Redis, worker: str | None = None) -> bool:
    """Return whether a worker, or any, has looked for jobs or renewed a lease lately."""
    return bool(client.exists(ANY_WORKER if worker is None else f"{ANY_WORKER}:{worker}"))
