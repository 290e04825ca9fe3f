"""How many segments a collection has."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Thread

from qdrant_client import grpc as api

from sightline_catalogue.connection import Connection
from sightline_catalogue.errors import CatalogueError
from sightline_catalogue.methods import GET_COLLECTION

REFRESH_SECONDS = 600.0
READ_SECONDS = 5.0


class SegmentCount:
    """How many segments a collection has, those of all its shards together.

    Read by a thread of its own at the first search, and again every ten minutes, so that no search waits for it.

    Args:
        connection: The connection to Qdrant.
        collection: The collection's name.
    """

    def __init__(self, connection: Connection, collection: str) -> None:
        self._connection = connection
        self._request = api.GetCollectionInfoRequest(collection_name=collection)
        self._count = 1
        self._read_at = 0.0  # when it is to be read next

    def get(self) -> int:
        """Return how many there were when they were last counted; 1 until then."""
        if time.monotonic() >= self._read_at:
            self._read_at = time.monotonic() + REFRESH_SECONDS
            Thread(target=self._read, name="segment-count", daemon=True).start()
        return self._count

    def _read(self) -> None:
        # A later search tries again.
        with suppress(CatalogueError):
            info = self._connection.call(GET_COLLECTION, self._request, tries=1, seconds=READ_SECONDS).result
            self._count = info.segments_count
