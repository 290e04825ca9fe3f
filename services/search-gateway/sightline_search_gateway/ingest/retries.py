"""Asking for failed images to be tried again, or for the bucket to be listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sightline_catalogue import FAILED, PENDING, CatalogueReadOnly

from sightline_search_gateway.clients.circuit_breaker import CatalogueCircuitBreaker
from sightline_search_gateway.clients.watcher import QueueUnavailable, WatcherClient
from sightline_search_gateway.errors import queue_problem

log = structlog.get_logger()


@dataclass(frozen=True)
class RetryService:
    """Has images tried again. Safe to use from several threads."""

    catalogue: CatalogueCircuitBreaker
    watcher: WatcherClient

    def rescan(self, keys: Sequence[str] | None = None, folder: str | None = None, *, verify: bool = False) -> None:
        """Ask the watcher to look at some keys, at a folder, or at the whole bucket now; see `request_scan`.

        Raises:
            ServiceError: Redis does not answer.
        """
        try:
            self.watcher.request_scan(keys, folder=folder, verify=verify)
        except QueueUnavailable as error:
            raise queue_problem(error) from error

    def retry(self, ids: Sequence[str]) -> int:
        """Have failed images tried again; return how many.

        Raises:
            ServiceError: The gateway may not write to the catalogue, and Redis, by which it asks the watcher to, does
                not answer.
        """
        collection = self.catalogue.current()
        failed = [image for image in collection.get(ids) if image is not None and image.state == FAILED]
        if not failed:
            return 0
        keys = [image.key for image in failed]
        try:
            collection.set_state([image.id for image in failed], PENDING, next_try_at=datetime.now(UTC))
        except CatalogueReadOnly:
            try:
                self.watcher.request_scan(keys, retry=True)
            except QueueUnavailable as error:
                raise queue_problem(error) from error
            return len(failed)
        try:
            self.watcher.request_scan(keys)
        except QueueUnavailable:
            # What is pending and due the watcher queues at its next look anyway.
            log.warning("no scan was requested: redis does not answer")
        return len(failed)
