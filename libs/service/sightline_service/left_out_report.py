"""What the watcher's last scan left out, as it tells the gateway through Redis. Needs the `queue` extra."""

from __future__ import annotations

import redis
from pydantic import AwareDatetime, BaseModel, ValidationError

LEFT_OUT_KEY = "sightline:left-out"
"""The Redis key of `LeftOutReport`, JSON; it may be lost without harm, since each scan writes it again."""


class LeftOutFiles(BaseModel):
    """Files that are left out for one reason."""

    kind: str
    """Of reason: see `sightline_bucket.left_out.Kind`."""
    name: str = ""
    """The folder, pattern or extension; empty where the kind says all."""
    reason: str
    """Why, in words."""
    count: int
    at_least: bool = False
    """Whether there may be more, which were not counted."""
    examples: list[str] = []
    """Some of their names."""


class LeftOutReport(BaseModel):
    """What a scan left out, the most first."""

    scanned_at: AwareDatetime
    files: list[LeftOutFiles] = []

    def write(self, client: redis.Redis) -> None:
        """Write it to Redis.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        client.set(LEFT_OUT_KEY, self.model_dump_json())

    @classmethod
    def read(cls, text: str | None) -> LeftOutReport | None:
        """Return the report that Redis holds; one that cannot be read counts as not known."""
        try:
            return cls.model_validate_json(text) if text else None
        except ValidationError:
            return None
