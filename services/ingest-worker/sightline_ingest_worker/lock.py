"""One watcher at a time: a lease in Redis, renewed while its holder lives."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Callable

import redis
import structlog

log = structlog.get_logger()

LEASE_SECONDS = 10
_RENEW = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('expire', KEYS[1], ARGV[2]) else return 0 end
"""
_RELEASE = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end
"""


class Lease:
    """A lease that one process holds.

    A holder that is killed keeps the others out for ten seconds at most. Where Redis is away nobody can queue
    anything, so the holder goes on as if it still had it; if Redis comes back empty, the first to ask gets it.
    """

    def __init__(self, client: redis.Redis, name: str) -> None:
        self._client = client
        self._name = name
        self._token = f"{socket.gethostname()} pid {os.getpid()} {uuid.uuid4().hex[:8]}"
        self.lost = False
        self._renew = client.register_script(_RENEW)
        self._release = client.register_script(_RELEASE)

    def hold(self) -> bool:
        """Take or renew the lease; False if another has it.

        Raises:
            redis.RedisError: Redis is away.
        """
        if self._renew(keys=[self._name], args=[self._token, LEASE_SECONDS]):
            return True
        return bool(self._client.set(self._name, self._token, nx=True, ex=LEASE_SECONDS))

    def holder(self) -> str:
        """Return who has it, for a log line."""
        return str(self._client.get(self._name) or "nobody")

    def keep(self, stop: threading.Event) -> None:
        """Renew the lease until told to stop, and notice when another got it: Redis was away or came back empty."""
        while not stop.wait(LEASE_SECONDS / 4):
            if self.lost:
                continue
            try:
                self.lost = not self.hold()
            except redis.RedisError:
                continue

    def release(self) -> None:
        """Give it back, if it is ours."""
        try:
            self._release(keys=[self._name], args=[self._token])
        except redis.RedisError as error:
            log.debug("lease not given back", error=str(error))

    def wait(self, pause: Callable[[float], bool]) -> bool:
        """Wait for the lease, and say once why; False if `pause` says that the process stops."""
        said = ""
        while not pause(0):
            try:
                if self.hold():
                    if said == "held":
                        log.info("the other watcher is gone; this one takes over")
                    self.lost = False
                    return True
                reason, detail = "held", self.holder()
            except redis.RedisError as error:
                reason, detail = "away", str(error)
            if said != reason:
                said = reason
                if reason == "held":
                    log.warning("another watcher is at work; this one waits until it ends", holder=detail)
                else:
                    log.warning("redis does not answer; waiting", error=detail)
            pause(1.0)
        return False
