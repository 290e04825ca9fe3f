"""Which disks are full: whoever finds no room tells so in Redis, where the gateway reads it.

Needs the `queue` extra.
"""

from __future__ import annotations

from typing import cast

import redis
import structlog

from sightline_service.disk_space import DATABASE, THUMBNAILS, says_disk_full

FULL_DISK_KEY = "sightline:full-disk"
"""The Redis keys `FULL_DISK_KEY:NAME` of what is said of a full disk; each expires unless it is said again."""
FULL_DISK_SECONDS = 20
"""How long it counts: longer than the pauses between two tries of what waits for room."""
QUEUE = "queue"
QUEUE_DISK_FULL = "the disk of the queue (Redis) is full: nothing is queued until there is room, and searches go on"
_PROBE = f"{FULL_DISK_KEY}-probe"
log = structlog.get_logger()


def note_full_disk(client: redis.Redis, name: str, message: str) -> None:
    """Say that a disk is full; where Redis does not answer, nothing is said.

    Args:
        client: Redis.
        name: DATABASE or THUMBNAILS.
        message: What is the matter, as a sentence for a person.
    """
    try:
        client.set(f"{FULL_DISK_KEY}:{name}", " ".join(message.split())[:500], ex=FULL_DISK_SECONDS)
    except redis.RedisError as error:
        log.debug("a full disk was not told", error=str(error))


def redis_disk_problem(error: redis.RedisError) -> str | None:
    """Return that the disk of Redis is full, as a sentence, if this is why it refuses a command; else None."""
    return QUEUE_DISK_FULL if says_disk_full(str(error)) else None


def full_disks(client: redis.Redis) -> dict[str, str]:
    """Return what is said of full disks, by what they hold; that of Redis itself is found out by writing.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    names = (DATABASE, THUMBNAILS)
    try:
        pipe = client.pipeline(transaction=False)
        pipe.mget([f"{FULL_DISK_KEY}:{name}" for name in names])
        pipe.set(_PROBE, "", ex=FULL_DISK_SECONDS)
        said, written = pipe.execute(raise_on_error=False)
    except redis.ResponseError as error:
        # The health check of a connection, which Redis refuses, too.
        said, written = [], error
    found = {}
    if isinstance(said, list):
        found = {name: cast(str, text) for name, text in zip(names, said, strict=False) if text}
    if isinstance(written, redis.RedisError) and (problem := redis_disk_problem(written)):
        found[QUEUE] = problem
    return found
