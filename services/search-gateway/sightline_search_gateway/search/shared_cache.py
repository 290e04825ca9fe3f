"""A cache that the gateway's processes and the map workers share, in Redis."""

from __future__ import annotations

from typing import cast

import redis
import structlog
from sightline_service.queues import QueueSettings, redis_client

log = structlog.get_logger()
PREFIX = "sightline:shared-cache:"
KEPT_SECONDS = 30 * 24 * 3600


class SharedCache:
    """Bytes by name, for a month. Connects on first use; empty where Redis does not answer."""

    def __init__(self, settings: QueueSettings) -> None:
        self._redis = redis_client(settings, decode_responses=False)

    def get(self, name: str) -> bytes | None:
        """Return the bytes of a name; None where there are none."""
        try:
            return cast("bytes | None", self._redis.get(PREFIX + name))
        except redis.RedisError as error:
            log.warning("redis does not answer", error=str(error))
            return None

    def put(self, name: str, data: bytes) -> None:
        """Keep bytes under a name."""
        try:
            self._redis.set(PREFIX + name, data, ex=KEPT_SECONDS)
        except redis.RedisError as error:
            log.warning("redis does not answer", error=str(error))

    def claim(self, name: str, seconds: int) -> bool:
        """Return whether the caller is to make the bytes of a name; False for `seconds` after one was."""
        try:
            return bool(self._redis.set(f"{PREFIX}{name}:claim", "1", nx=True, ex=seconds))
        except redis.RedisError:
            return True
