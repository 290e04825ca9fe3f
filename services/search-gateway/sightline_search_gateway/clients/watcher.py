"""The watcher's state in Redis, and requests for scans."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import redis
import structlog
from sightline_service.full_disks import full_disks, redis_disk_problem
from sightline_service.left_out_report import LEFT_OUT_KEY, LeftOutReport
from sightline_service.queues import (
    DATABASE_KEY,
    QUEUE_BACKFILL,
    QUEUE_NEW,
    QUEUE_REREAD,
    RESCAN_LIST,
    TRACE,
    WATCHER_HASH,
    DatabaseStatus,
    HeldLoss,
    QueueSettings,
    WatcherStatus,
    redis_client,
)
from sightline_service.request_ids import REQUEST_ID, current_request_id
from sightline_service.service_starts import RestartingService, restarting_services
from sightline_service.tracing import trace_headers

MAX_REQUESTS = 1000
STALE_SECONDS = 60
PROBE_SECONDS = 1.0
"""How long a readiness check waits for Redis."""
log = structlog.get_logger()


class QueueUnavailable(Exception):
    """Redis does not answer, or takes nothing since its disk is full; the message says which."""


@dataclass(frozen=True)
class WatcherState:
    """The watcher's state, as it last reported it.

    Attributes:
        ignored: Files that by their name are not images; None while not known.
        queued: Tasks that wait for a worker; None while not known.
        scanning: Whether the bucket is being listed at the moment.
        last_scan_at: When the last whole listing ended; aware UTC.
        database: The vector database's nodes; None while not known.
        bucket_problem: Why the bucket cannot be reached; None while it can.
        bucket_problem_since: Since when; aware UTC.
        held: What is held as a suspected loss; None while nothing is.
        next_model: The model that everything is being read again for; None while none is.
        next_counts: How many images are pending, indexed and failed for it.
    """

    ignored: int | None = None
    queued: int | None = None
    scanning: bool = False
    last_scan_at: datetime | None = None
    database: DatabaseStatus | None = None
    bucket_problem: str | None = None
    bucket_problem_since: datetime | None = None
    held: HeldLoss | None = None
    next_model: str | None = None
    next_counts: tuple[int, int, int] = (0, 0, 0)


class WatcherClient:
    """Reads the watcher's state and requests scans, through Redis. Connects on first use."""

    def __init__(self, settings: QueueSettings) -> None:
        self._redis = redis_client(settings)
        self._probe = redis_client(settings, timeout_seconds=PROBE_SECONDS)

    def state(self) -> WatcherState:
        """Return the watcher's last state; where Redis does not answer, that nothing is known."""
        try:
            pipe = self._redis.pipeline(transaction=False)
            pipe.hgetall(WATCHER_HASH)
            pipe.llen(QUEUE_NEW)
            pipe.llen(QUEUE_BACKFILL)
            pipe.llen(QUEUE_REREAD)
            pipe.get(DATABASE_KEY)
            fields, new, backfill, reread, database = cast(
                "tuple[dict[str, str], int, int, int, str | None]", tuple(pipe.execute())
            )
        except redis.RedisError as error:
            log.warning("redis does not answer", error=str(error))
            return WatcherState()
        status = WatcherStatus.read(fields)
        return WatcherState(
            ignored=status.ignored,
            queued=new + backfill + reread,
            scanning=status.scanning and _is_recent(status.updated_at),
            last_scan_at=status.last_scan_at,
            database=DatabaseStatus.read(database),
            bucket_problem=status.bucket_problem,
            bucket_problem_since=status.bucket_problem_since,
            held=status.held,
            next_model=status.next_model if _is_recent(status.updated_at) else None,
            next_counts=(status.next_pending or 0, status.next_indexed or 0, status.next_failed or 0),
        )

    def database(self) -> DatabaseStatus | None:
        """Return the state of the vector database's nodes; None where it is not known."""
        try:
            return DatabaseStatus.read(cast("str | None", self._probe.get(DATABASE_KEY)))
        except redis.RedisError:
            return None

    def bucket_warning(self) -> str | None:
        """Return what is wrong with the bucket, as a sentence; None where nothing is, or where it is not known."""
        try:
            status = WatcherStatus.read(cast("dict[str, str]", self._probe.hgetall(WATCHER_HASH)))
        except redis.RedisError:
            return None
        return status.bucket_problem or (status.held.message if status.held is not None else None)

    def full_disks(self) -> dict[str, str]:
        """Return what is said of full disks, by what they hold; none where that is not known."""
        try:
            return full_disks(self._probe)
        except redis.RedisError:
            return {}

    def left_out(self) -> LeftOutReport | None:
        """Return what the watcher's last scan left out; None where it is not known."""
        try:
            return LeftOutReport.read(cast("str | None", self._redis.get(LEFT_OUT_KEY)))
        except redis.RedisError as error:
            log.warning("redis does not answer", error=str(error))
            return None

    def restarting(self) -> list[RestartingService]:
        """Return the services that keep restarting; none where that is not known."""
        try:
            return restarting_services(self._probe)
        except redis.RedisError:
            return []

    def services_warning(self) -> str | None:
        """Return what is wrong with services, as a sentence; None where nothing is, or where it is not known."""
        try:
            problem = cast("str | None", self._probe.hget(WATCHER_HASH, "problem"))
        except redis.RedisError:
            return None
        return "; ".join([*(one.message for one in self.restarting()), *([problem] if problem else [])]) or None

    def request_scan(
        self,
        keys: Sequence[str] | None = None,
        *,
        retry: bool = False,
        deleted: bool = False,
        folder: str | None = None,
        verify: bool = False,
    ) -> None:
        """Ask the watcher to look at some keys, at a folder, or at the whole bucket.

        Args:
            keys: The keys; None for the folder or the whole bucket.
            retry: Have those of them that failed tried again.
            deleted: Say that an owner has deleted them.
            folder: The folder, if no keys are given; None for the whole bucket.
            verify: Have what is unchanged by its size and times read and compared, too.

        Raises:
            QueueUnavailable: Redis does not answer.
        """
        message: dict[str, Any] = {} if keys is None else {"keys": list(keys)}
        if folder is not None:
            message["folder"] = folder
        if retry:
            message["retry"] = True
        if verify:
            message["verify"] = True
        if deleted:
            message["deleted"] = True
        self._send(message)

    def confirm_loss(self, until: datetime) -> None:
        """Tell the watcher that what is missing since before a moment, and held, is really gone.

        Raises:
            QueueUnavailable: Redis does not answer.
        """
        self._send({"confirm_loss": until.isoformat()})

    def _send(self, message: dict[str, Any]) -> None:
        if request_id := current_request_id():
            message[REQUEST_ID] = request_id
        if headers := trace_headers():
            message[TRACE] = headers
        try:
            self._redis.lpush(RESCAN_LIST, json.dumps(message))
            # Where no watcher takes them: the oldest go, since its scan finds everything anyway.
            self._redis.ltrim(RESCAN_LIST, 0, MAX_REQUESTS - 1)
        except redis.RedisError as error:
            raise QueueUnavailable(redis_disk_problem(error) or "Redis does not answer") from error

    def close(self) -> None:
        """Close the connections; a later call opens them again."""
        self._redis.close()
        self._probe.close()


def _is_recent(moment: datetime | None) -> bool:
    """Return whether the watcher reported lately; one that was killed leaves its last report."""
    return moment is not None and (datetime.now(UTC) - moment).total_seconds() < STALE_SECONDS
