"""Asking for failed images to be tried again, or for the bucket to be listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sightline_catalogue import FAILED, PENDING

from sightline_search_gateway.clients.circuit_breaker import CatalogueCircuitBreaker
from sightline_search_gateway.clients.watcher import QueueUnavailable, WatcherClient
from sightline_search_gateway.errors import ServiceError

log = structlog.get_logger()


@dataclass(frozen=True)
class RetryService:
    """Has images tried again. Safe to use from several threads."""

    catalogue: CatalogueCircuitBreaker
    watcher: WatcherClient

    def rescan(self) -> None:
        """Ask the watcher to list the bucket now.

        Raises:
            ServiceError: Redis does not answer.
        """
        try:
            self.watcher.request_scan()
        except QueueUnavailable as error:
            detail = "Redis does not answer; try again soon."
            raise ServiceError("queue-unavailable", detail, retry_after_seconds=5) from error

    def retry(self, ids: Sequence[str]) -> int:
        """Have failed images tried again; return how many."""
        collection = self.catalogue.current()
        failed = [image for image in collection.get(ids) if image is not None and image.state == FAILED]
        if failed:
            collection.set_state([image.id for image in failed], PENDING, next_try_at=datetime.now(UTC))
            try:
                self.watcher.request_scan([image.key for image in failed])
            except QueueUnavailable:
                # What is pending and due the watcher queues at its next look anyway.
                log.warning("no scan was requested: redis does not answer")
        return len(failed)
