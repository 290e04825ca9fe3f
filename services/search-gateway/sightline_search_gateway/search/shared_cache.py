"""What the gateway's processes make once and share: kept in Redis, since that is what all of them reach."""

from __future__ import annotations

import base64
import binascii
from typing import cast

import redis
import structlog
from sightline_service.queues import QueueSettings, redis_client

log = structlog.get_logger()
PREFIX = "sightline:shelf:"
KEPT_SECONDS = 30 * 24 * 3600


class SharedCache:
    """Bytes by name, for a month. Connects when it is first used; where Redis is away, it is empty."""

    def __init__(self, settings: QueueSettings) -> None:
        self._settings = settings
        self._client: redis.Redis | None = None

    def get(self, name: str) -> bytes | None:
        """Return what is there under a name."""
        try:
            found = cast("str | None", self._redis().get(PREFIX + name))
        except redis.RedisError as error:
            log.warning("redis does not answer", error=str(error))
            return None
        try:
            return None if found is None else base64.b64decode(found, validate=True)
        except binascii.Error:
            return None

    def put(self, name: str, data: bytes) -> None:
        """Put something there."""
        try:
            self._redis().set(PREFIX + name, base64.b64encode(data).decode("ascii"), ex=KEPT_SECONDS)
        except redis.RedisError as error:
            log.warning("redis does not answer", error=str(error))

    def claim(self, name: str, seconds: int) -> bool:
        """Return whether to make something now: false where another process has been at it for less than that long."""
        try:
            return bool(self._redis().set(f"{PREFIX}{name}:claim", "1", nx=True, ex=seconds))
        except redis.RedisError:
            return True

    def _redis(self) -> redis.Redis:
        if self._client is None:
            self._client = redis_client(self._settings)
        return self._client
