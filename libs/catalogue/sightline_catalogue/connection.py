"""The one connection to Qdrant: opened late, tried again when it breaks."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import grpc
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse

from sightline_catalogue.errors import CatalogueError, NotFound, Unavailable
from sightline_catalogue.settings import CatalogueSettings

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
MOST_TRIES = 8
"""With the pauses between them some four seconds: a restart of the server is not noticed."""

_REST_PORT = 6333
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

# A channel of a process that forked is of no use to the child, and closing it there would say goodbye on the parent's
# socket. So the child keeps it and never touches it.
_of_parent: list[QdrantClient] = []


class Connection:
    """Calls Qdrant by the raw stubs of `qdrant_client`, over gRPC alone.

    The channel is opened by the first call of each process, so an object that was made before a fork works after it;
    one that was used before a fork opens another in the child. Safe to share between threads.

    Args:
        settings: Where the server is and how long to wait for it.
    """

    def __init__(self, settings: CatalogueSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: QdrantClient | None = None
        self._pid = 0

    def points(self, method: str, request: Any) -> Any:
        """Call a method of Qdrant's service Points.

        Raises:
            CatalogueError: Unavailable or NotFound among them.
        """
        return self._call("grpc_points", method, request, MOST_TRIES, self._settings.timeout_seconds)

    def collections(self, method: str, request: Any) -> Any:
        """Call a method of Qdrant's service Collections.

        Raises:
            CatalogueError: Unavailable or NotFound among them.
        """
        return self._call("grpc_collections", method, request, MOST_TRIES, self._settings.timeout_seconds)

    def probe(self, method: str, request: Any, timeout_seconds: float) -> Any:
        """Call a method of Qdrant's service Collections once, and soon give up.

        Raises:
            CatalogueError: Unavailable or NotFound among them.
        """
        seconds = min(timeout_seconds, self._settings.timeout_seconds)
        return self._call("grpc_collections", method, request, 1, seconds)

    def close(self) -> None:
        """Close the channel; a later call opens another."""
        with self._lock:
            client, self._client = self._client, None
            if client is not None and self._pid == os.getpid():
                client.close()
            elif client is not None:
                _of_parent.append(client)

    def _call(self, service: str, method: str, request: Any, tries: int, seconds: float) -> Any:
        deadline = time.monotonic() + seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            tries -= 1
            left = max(deadline - time.monotonic(), 0.001)
            try:
                return getattr(getattr(self._open(), service), method)(request, timeout=left)
            except grpc.RpcError as error:
                # Every call of ours may be made twice: points are replaced, and states set, by id.
                again = error.code() is grpc.StatusCode.UNAVAILABLE and tries > 0
                if not again or time.monotonic() + pause >= deadline:
                    raise self._translated(error, seconds) from None
            except ResourceExhaustedResponse as error:
                raise Unavailable(f"Qdrant at {self._address} is busy: {error.message}") from None
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _open(self) -> QdrantClient:
        client = self._client
        if client is not None and self._pid == os.getpid():
            return client
        with self._lock:
            if self._client is not None and self._pid != os.getpid():
                _of_parent.append(self._client)
                self._client = None
            if self._client is None:
                self._client, self._pid = self._connect(), os.getpid()
            return self._client

    def _connect(self) -> QdrantClient:
        settings = self._settings
        options: dict[str, Any] = {
            # gRPC's own pause grows to two minutes, which is how long a restarted server would go unnoticed.
            "grpc.initial_reconnect_backoff_ms": 100,
            "grpc.min_reconnect_backoff_ms": 1000,
            "grpc.max_reconnect_backoff_ms": 1000,
            # A machine that is gone says nothing: without pings its connection is believed in for a quarter of an hour.
            "grpc.keepalive_time_ms": 30_000,
            "grpc.keepalive_timeout_ms": 10_000,
        }
        if settings.host in _LOOPBACK:
            options["grpc.enable_http_proxy"] = 0
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        client = QdrantClient(
            host=settings.host,
            grpc_port=settings.port,
            https=settings.encrypted,
            prefer_grpc=True,
            check_compatibility=False,
            # As a header: given as `api_key`, the client would warn wherever there is no TLS.
            headers={"api-key": key} if key else None,
            grpc_options=options,
            # Channels to one address share their connection in any case.
            pool_size=1,
        )
        # Both stubs are made here, under the lock: the client makes its channels without one.
        _ = client.grpc_points, client.grpc_collections
        return client

    @property
    def _address(self) -> str:
        return f"{self._settings.url} (QDRANT_URL)"

    def _translated(self, error: grpc.RpcError, seconds: float) -> CatalogueError:
        code, details = error.code(), error.details() or ""
        if code is grpc.StatusCode.NOT_FOUND:
            return NotFound(details)
        if code is grpc.StatusCode.UNAVAILABLE:
            hint = "; that is the port of REST, gRPC has 6334" if self._settings.port == _REST_PORT else ""
            return Unavailable(f"Qdrant at {self._address} cannot be reached{hint}: {details}")
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return Unavailable(f"Qdrant at {self._address} did not answer within {seconds:g} s")
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return Unavailable(f"Qdrant at {self._address} is busy: {details}")
        if code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
            return CatalogueError(f"Qdrant at {self._address} refuses QDRANT_API_KEY: {details}")
        return CatalogueError(f"Qdrant at {self._address} answered {code.name}: {details}")
