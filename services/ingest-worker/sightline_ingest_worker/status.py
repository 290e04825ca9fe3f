"""What the watcher says of itself: a hash in Redis that the gateway reads, and metrics."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import redis
from prometheus_client import Counter, Gauge
from sightline_service.queues import WATCHER_HASH

SCANS = Counter("sightline_watcher_scans_total", "Comparisons of the whole bucket: done, or broken off.", ["outcome"])
SCAN_SECONDS = Gauge("sightline_watcher_scan_seconds", "How long the last whole comparison took.")
LISTED = Gauge("sightline_watcher_listed", "Objects that the last whole comparison found, ignored ones included.")
QUEUED = Counter("sightline_watcher_queued_total", "Keys that were queued, by why.", ["reason"])
DELETED = Counter("sightline_watcher_deleted_total", "Points of objects that were gone.")
PENDING = Gauge("sightline_watcher_pending", "Pictures that are pending.")


@dataclass
class Status:
    """The fields of the hash. Times are ISO 8601 in UTC, truth is 1 or 0, unknown is an empty text.

    Attributes:
        scanning: Whether the bucket is being listed.
        scanned: Objects listed by the scan under way, or by the last.
        ignored: Objects of the last whole scan that by their names are no pictures.
        queued: Tasks that wait.
        pending: Pictures that are pending.
        waiting_for: The service that is away; empty if none is.
    """

    scanning: bool = False
    scanned: int = 0
    last_scan_at: datetime | None = None
    last_scan_seconds: float | None = None
    ignored: int | None = None
    queued: int | None = None
    pending: int | None = None
    collection: str = ""
    events: bool = False
    waiting_for: str = ""

    def write(self, client: redis.Redis) -> None:
        """Write the whole hash, since Redis may have lost it.

        Raises:
            redis.RedisError: Redis is away.
        """
        fields: dict[Any, Any] = {name: _text(value) for name, value in asdict(self).items()}
        client.hset(WATCHER_HASH, mapping=fields | {"updated_at": _text(datetime.now(UTC))})


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return f"{value:.2f}" if isinstance(value, float) else str(value)
