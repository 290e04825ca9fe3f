"""Who is encoding which bytes: kept in Redis, so that two processes do not encode equal files at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

import redis
import structlog

from sightline_ingest_worker.journal import is_alive, process_start

log = structlog.get_logger()

CLAIM = "sightline:ingest:encoding"
CLAIM_SECONDS = 15
_RELEASE = """
for _, key in ipairs(KEYS) do
    if redis.call('get', key) == ARGV[1] then redis.call('del', key) end
end
"""


class Claims(Protocol):
    """Claims on bytes, by SHA-256."""

    def take(self, shas: Sequence[str]) -> set[str]:
        """Claim what no other process has claimed; returns what is ours now."""

    def release(self, shas: Sequence[str]) -> None:
        """Give back what is ours of these."""


class NoClaims:
    """Where one process works alone."""

    def take(self, shas: Sequence[str]) -> set[str]:
        """Return all."""
        return set(shas)

    def release(self, shas: Sequence[str]) -> None:
        """Do nothing."""


class RedisClaims:
    """Claims that all processes share.

    A claim ends by itself after 15 seconds, and at once for a process of this node that is gone. Where Redis is away
    everything is ours: encoding twice does no harm.

    Args:
        client: Redis.
        node: The worker's name: processes of one node see each other's process ids.
    """

    def __init__(self, client: redis.Redis, node: str) -> None:
        self._client = client
        self._node = node
        self._token = f"{node} {os.getpid()} {process_start(os.getpid())}"
        self._release = client.register_script(_RELEASE)

    def take(self, shas: Sequence[str]) -> set[str]:
        """Claim what no other living process has claimed; returns what is ours now."""
        try:
            pipe = self._client.pipeline(transaction=False)
            for sha256 in shas:
                # Not in one command: Redis before 7 refuses NX together with GET.
                pipe.set(f"{CLAIM}:{sha256}", self._token, nx=True, ex=CLAIM_SECONDS)
                pipe.get(f"{CLAIM}:{sha256}")
            holders = dict(zip(shas, pipe.execute()[1::2], strict=True))
            dead = [sha256 for sha256, holder in holders.items() if holder is not None and not self._lives(holder)]
            for sha256 in dead:
                self._client.set(f"{CLAIM}:{sha256}", self._token, ex=CLAIM_SECONDS)
        except redis.RedisError as error:
            log.warning("claims not made", error=str(error))
            return set(shas)
        return {sha256 for sha256, holder in holders.items() if holder in (None, self._token)} | set(dead)

    def release(self, shas: Sequence[str]) -> None:
        """Give back what is ours of these."""
        if not shas:
            return
        try:
            self._release(keys=[f"{CLAIM}:{sha256}" for sha256 in shas], args=[self._token])
        except redis.RedisError as error:
            log.warning("claims not given back", error=str(error))

    def _lives(self, holder: str) -> bool:
        node, pid, started = holder.rsplit(" ", 2)
        return node != self._node or is_alive(int(pid), float(started))
