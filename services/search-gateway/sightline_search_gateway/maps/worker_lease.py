"""Which map workers there are: each sets two keys while it lives. Imports little, since a health check runs it.

The stream's group knows its consumers too, but Redis before 7.2 does not count one that waits as there.
"""

from __future__ import annotations

import math

import redis

STREAM = "sightline:map-jobs"
GROUP = "map-workers"
ANY_WORKER = "sightline:map-worker"
LEASE_SECONDS = 15.0
"""A worker of which nothing was heard for so long is gone, and loses its job."""


def announce(client: redis.Redis, worker: str) -> None:
    """Say that a worker is there."""
    pipe = client.pipeline()
    for key in (ANY_WORKER, f"{ANY_WORKER}:{worker}"):
        pipe.set(key, "1", ex=math.ceil(LEASE_SECONDS))
    pipe.execute()


def is_there(client: redis.Redis, worker: str | None = None) -> bool:
    """Return whether a worker, or any, has looked for jobs or renewed a lease lately."""
    return bool(client.exists(ANY_WORKER if worker is None else f"{ANY_WORKER}:{worker}"))
