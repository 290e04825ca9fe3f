"""Encode locks: Redis locks on the bytes that are being encoded, so that equal files are encoded once.

redis-py's Lock would need a call for each lock, and would leave the locks of a killed process until they expire.
"""

from __future__ import annotations

import os
from collections.abc import Collection

import redis
import structlog
from sightline_service.process_identity import is_alive, process_start

log = structlog.get_logger()

LOCK = "sightline:ingest:encoding"
LOCK_SECONDS = 15
_RELEASE = """
for _, key in ipairs(KEYS) do
    if redis.call('get', key) == ARGV[1] then redis.call('del', key) end
end
"""


class EncodeLocks:
    """Locks on bytes, by SHA-256, shared by all worker processes.

    A lock expires after LOCK_SECONDS, and is free at once if its holder was a process of this node that no longer
    exists. While Redis does not answer nothing is locked: encoding something twice does no harm.

    Args:
        client: Redis.
        node: The worker's name: processes of one node see each other's process ids.
    """

    def __init__(self, client: redis.Redis, node: str) -> None:
        self._client = client
        self._node = node
        self._token = f"{node} {os.getpid()} {process_start(os.getpid())}"
        self._release = client.register_script(_RELEASE)

    def acquire(self, shas: Collection[str]) -> set[str]:
        """Lock the bytes that no other living process has locked; return those that this process holds now."""
        if not shas:
            return set()
        try:
            pipe = self._client.pipeline(transaction=False)
            for sha256 in shas:
                # Not in one command: Redis before 7 refuses NX together with GET.
                pipe.set(f"{LOCK}:{sha256}", self._token, nx=True, ex=LOCK_SECONDS)
                pipe.get(f"{LOCK}:{sha256}")
            holders = dict(zip(shas, pipe.execute()[1::2], strict=True))
            dead = [sha256 for sha256, holder in holders.items() if holder is not None and not self._is_alive(holder)]
            for sha256 in dead:
                self._client.set(f"{LOCK}:{sha256}", self._token, ex=LOCK_SECONDS)
        except redis.RedisError as error:
            log.warning("no encode locks", error=str(error))
            return set(shas)
        return {sha256 for sha256, holder in holders.items() if holder in (None, self._token)} | set(dead)

    def release(self, shas: Collection[str]) -> None:
        """Release the locks that this process holds on these bytes."""
        if not shas:
            return
        try:
            self._release(keys=[f"{LOCK}:{sha256}" for sha256 in shas], args=[self._token])
        except redis.RedisError as error:
            log.warning("encode locks not released", error=str(error))

    def _is_alive(self, holder: str) -> bool:
        node, pid, started = holder.rsplit(" ", 2)
        return node != self._node or is_alive(int(pid), float(started))
