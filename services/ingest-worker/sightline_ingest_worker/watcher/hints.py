"""Hints of the gateway, from a Redis list: keys that it has just changed, for the watcher to check soon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import redis
import structlog
from sightline_service.queues import RESCAN_LIST

log = structlog.get_logger()


@dataclass(frozen=True)
class Hint:
    """What the gateway asks for.

    Attributes:
        keys: Keys to check; None means the whole bucket.
        retry: Whether those of them that failed are to be tried again.
    """

    keys: list[str] | None
    retry: bool = False


def pop_hints(client: redis.Redis) -> Iterator[Hint]:
    """Yield the hints in the list, the oldest first; each is removed when it is yielded.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    while (message := client.rpop(RESCAN_LIST)) is not None:
        yield from _parse(str(message))


def wait_for_hint(client: redis.Redis, seconds: float) -> Iterator[Hint]:
    """Wait up to `seconds` for a hint, and yield it.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    answer = client.brpop([RESCAN_LIST], timeout=seconds)
    if answer:
        yield from _parse(str(answer[1]))


def _parse(message: str) -> Iterator[Hint]:
    try:
        fields = json.loads(message)
        keys = fields.get("keys")
        yield Hint([str(key) for key in keys] if keys is not None else None, fields.get("retry") is True)
    except (ValueError, AttributeError, TypeError):
        log.warning("not a valid hint", message=message[:200])
