"""Which services keep restarting: each notes its starts in Redis, and forgets them where it was stopped.

Needs the `queue` extra.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import cast

import redis
import structlog

STARTS_HASH = "sightline:starts"
"""The Redis hash of starts, JSON lists of Unix times, by `SERVICE INSTANCE`."""
RESTARTS = 2
WITHIN_SECONDS = 60.0
"""A service keeps restarting if it was started anew RESTARTS times within so long."""
SETTLED_SECONDS = 360.0
"""It has settled if its last start is so long ago: longer than any pause of Docker or Kubernetes between two."""
_KEPT_STARTS = 12
_FORGOTTEN_SECONDS = 24 * 3600.0
log = structlog.get_logger()


@dataclass(frozen=True)
class RestartingService:
    """A service that keeps restarting.

    Attributes:
        restarts: How often it was started anew of late.
    """

    service: str
    instance: str
    restarts: int

    @property
    def message(self) -> str:
        """What is wrong, as a sentence."""
        minutes = round(SETTLED_SECONDS / 60)
        times = f"{self.restarts} times in {minutes} minutes"
        return f"{self.service} ({self.instance}) was restarted {times}; its log says why"


@contextmanager
def noted_start(
    client: redis.Redis, service: str, instance: str = "", clock: Callable[[], float] = time.time
) -> Iterator[None]:
    """Note a service's start; if the block ends in order, as after SIGTERM, forget its starts.

    Where Redis does not answer nothing is noted.

    Args:
        client: Redis.
        service: The service's name.
        instance: Which one of several; empty for the host's name.
        clock: Unix time.
    """
    field = f"{service} {instance or socket.gethostname()}"
    note_start(client, field, clock)
    yield
    forget_starts(client, field)


def note_start(client: redis.Redis, field: str, clock: Callable[[], float] = time.time) -> None:
    """Add a start to those of a field of STARTS_HASH."""
    now = clock()
    try:
        known = _read(client)
        old = [name for name, starts in known.items() if now - starts[-1] > _FORGOTTEN_SECONDS and name != field]
        if old:
            client.hdel(STARTS_HASH, *old)
        client.hset(STARTS_HASH, field, json.dumps([*known.get(field, ()), now][-_KEPT_STARTS:]))
    except redis.RedisError as error:
        log.debug("a start was not noted", error=str(error))


def forget_starts(client: redis.Redis, field: str) -> None:
    """Forget the starts of a field of STARTS_HASH."""
    with suppress(redis.RedisError):
        client.hdel(STARTS_HASH, field)


def restarting_services(client: redis.Redis, clock: Callable[[], float] = time.time) -> list[RestartingService]:
    """Return the services that keep restarting.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    now = clock()
    found = []
    for field, starts in sorted(_read(client).items()):
        # The first start is none anew.
        anew = starts[1:]
        is_settled = not anew or now - anew[-1] > SETTLED_SECONDS
        spans = [later - earlier for earlier, later in zip(anew, anew[RESTARTS - 1 :], strict=False)]
        if not is_settled and any(span <= WITHIN_SECONDS for span in spans):
            service, _, instance = field.partition(" ")
            recent = sum(now - start <= SETTLED_SECONDS for start in anew)
            found.append(RestartingService(service, instance, recent))
    return found


def _read(client: redis.Redis) -> dict[str, list[float]]:
    fields = cast("Mapping[str | bytes, str]", client.hgetall(STARTS_HASH))
    known = {}
    for name, text in fields.items():
        with suppress(ValueError, TypeError):
            starts = [float(start) for start in json.loads(text)]
            if starts:
                known[name.decode() if isinstance(name, bytes) else name] = starts
    return known
