"""Hints of the gateway: keys that it has just changed, for the watcher to check soon."""

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
    """Keys to check; None means the whole bucket."""

    keys: list[str] | None


class HintList:
    """The Redis list of hints, the oldest first. Its calls raise redis.RedisError if Redis does not answer."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def pop_all(self) -> Iterator[Hint]:
        """Yield the hints in the list; each is removed when it is yielded."""
        while (message := self._client.rpop(RESCAN_LIST)) is not None:
            yield from _parse(str(message))

    def wait(self, seconds: float) -> Iterator[Hint]:
        """Wait up to `seconds` for a hint, and yield it."""
        answer = self._client.brpop([RESCAN_LIST], timeout=seconds)
        if answer:
            yield from _parse(str(answer[1]))


def _parse(message: str) -> Iterator[Hint]:
    try:
        hint = json.loads(message)
        keys = hint.get("keys")
        yield Hint([str(key) for key in keys] if keys is not None else None)
    except (ValueError, AttributeError, TypeError):
        log.warning("not a valid hint", message=message[:200])
