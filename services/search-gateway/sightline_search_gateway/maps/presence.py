"""Which map workers there are: the consumers of the stream's group. Imports little, since a health check runs it."""

from __future__ import annotations

import redis

STREAM = "sightline:map-jobs"
GROUP = "map-workers"
LEASE_SECONDS = 15.0
"""A worker of which nothing was heard for so long is gone, and loses its job."""


def live_workers(client: redis.Redis) -> set[str]:
    """Return the names of the workers that have looked for jobs, or renewed a lease, lately.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    try:
        found = client.xinfo_consumers(STREAM, GROUP)
    except redis.ResponseError:  # There is no stream before the first worker, or the first job.
        return set()
    return {text(one["name"]) for one in found if one["idle"] < LEASE_SECONDS * 1000}


def text(name: bytes | str) -> str:
    """Return a name that came as bytes, or as text already."""
    return name.decode() if isinstance(name, bytes) else name
