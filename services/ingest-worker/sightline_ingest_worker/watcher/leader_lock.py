"""One watcher at a time: a lock in Redis, renewed while its holder runs."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Callable

import redis
import structlog
from redis.exceptions import LockError
from redis.lock import Lock
from sightline_service.heartbeat import beat

log = structlog.get_logger()

LOCK_SECONDS = 10


class LeaderLock:
    """A lock that one process holds.

    The lock of a holder that was killed expires after LOCK_SECONDS. While Redis does not answer nobody can queue
    anything, so the holder goes on as if it still held the lock; if Redis restarts empty, the first to ask gets it.
    """

    def __init__(self, client: redis.Redis, name: str) -> None:
        self._client = client
        self._name = name
        # One thread acquires it, another renews it.
        self._lock = Lock(client, name, timeout=LOCK_SECONDS, blocking=False, thread_local=False)
        self._token = f"{socket.gethostname()} pid {os.getpid()} {uuid.uuid4().hex[:8]}"
        self.lost = False

    def hold(self) -> bool:
        """Acquire or renew the lock; return False if another process holds it.

        Raises:
            redis.ConnectionError, redis.TimeoutError: Redis does not answer.
        """
        try:
            return self._lock.reacquire()
        except LockError:
            return bool(self._lock.acquire(token=self._token))

    def keep(self, stop: threading.Event) -> None:
        """Renew the lock until `stop` is set; sets `lost` once another process holds it, after an outage of Redis."""
        while not stop.wait(LOCK_SECONDS / 4):
            if self.lost:
                continue
            try:
                self.lost = not self.hold()
            except redis.RedisError:
                continue

    def release(self) -> None:
        """Release it, if this process holds it."""
        try:
            self._lock.release()
        except redis.RedisError as error:
            log.debug("leader lock not released", error=str(error))

    def wait(self, pause: Callable[[float], bool]) -> bool:
        """Wait for the lock, and log once why; return False if `pause` says that the process stops."""
        logged = ""
        while not pause(0):
            try:
                if self.hold():
                    if logged == "held":
                        log.info("the other watcher has ended; this one takes over")
                    self.lost = False
                    return True
                reason, detail = "held", str(self._client.get(self._name) or "nobody")
                beat()  # Its work is to wait.
            except redis.RedisError as error:
                reason, detail = "no answer", str(error)
            if logged != reason:
                logged = reason
                if reason == "held":
                    log.warning("another watcher is at work; this one waits until it ends", holder=detail)
                else:
                    log.warning("redis does not answer; waiting", error=detail)
            pause(1.0)
        return False
