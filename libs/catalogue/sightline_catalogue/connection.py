"""The connection to the vector database: opened late, tried again, with errors that a person can read."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import grpc
from qdrant_client import QdrantClient
from qdrant_client import grpc as qdrant

from sightline_catalogue.errors import CatalogueError, CatalogueUnavailable, NoCollection
from sightline_catalogue.settings import CatalogueSettings

Response = TypeVar("Response")

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
MAX_MESSAGE_BYTES = 256 * 1024 * 1024


class Connection:
    """Calls Qdrant's gRPC API through the stubs of `QdrantClient`.

    The messages are used as they are: converting 50 points with vectors to the client's own models takes two to
    three milliseconds, most of what a search may take. The channel opens on first use, and again in a child after a
    fork, where the parent's is dead.
    """

    def __init__(self, settings: CatalogueSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: QdrantClient | None = None
        self._pid = 0

    @property
    def settings(self) -> CatalogueSettings:
        """Where it leads."""
        return self._settings

    def points(
        self, method: Callable[[qdrant.PointsStub], Callable[..., Response]], request: object, *, slow: bool = False
    ) -> Response:
        """Call a method on points.

        Args:
            method: Picks the method from the stub.
            request: Its message.
            slow: The call may take longer than the setting says, as building an index of a field does.

        Raises:
            CatalogueUnavailable, NoCollection, CatalogueError: As their docstrings say.
        """
        return self._call(lambda: method(self._open().grpc_points), request, slow=slow)

    def collections(
        self, method: Callable[[qdrant.CollectionsStub], Callable[..., Response]], request: object
    ) -> Response:
        """Call a method on collections; raises as `points`."""
        return self._call(lambda: method(self._open().grpc_collections), request, slow=True)

    def close(self) -> None:
        """Close the channel; a later call opens it again."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            client.close()

    def _open(self) -> QdrantClient:
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                key = self._settings.api_key
                self._client = QdrantClient(
                    host=self._settings.host,
                    grpc_port=self._settings.port,
                    https=self._settings.tls,
                    api_key=key.get_secret_value() if key is not None else None,
                    prefer_grpc=True,
                    # It would ask over REST, which is another port.
                    check_compatibility=False,
                    pool_size=1,
                    grpc_options={
                        "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
                        "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
                        "grpc.initial_reconnect_backoff_ms": 100,
                        "grpc.min_reconnect_backoff_ms": 100,
                        "grpc.max_reconnect_backoff_ms": 1000,
                        "grpc.enable_retries": 0,
                    },
                )
                self._pid = os.getpid()
            return self._client

    def _call(self, method: Callable[[], Callable[..., Response]], request: object, *, slow: bool) -> Response:
        seconds = self._settings.timeout_seconds * (6 if slow else 1)
        deadline = time.monotonic() + seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return method()(request, timeout=max(deadline - time.monotonic(), 0.001))
            except grpc.RpcError as error:
                code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
                # A service that is away is waited for no longer than a quick call may take, slow or not.
                patience = deadline - seconds + self._settings.timeout_seconds
                if code is not grpc.StatusCode.UNAVAILABLE or time.monotonic() + pause >= patience:
                    raise self._translate(error, code) from error
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _translate(self, error: grpc.RpcError, code: grpc.StatusCode) -> CatalogueError:
        details = (error.details() if isinstance(error, grpc.Call) else None) or str(error)
        where = f"the vector database at {self._settings.url} (QDRANT_URL)"
        match code:
            case grpc.StatusCode.UNAVAILABLE:
                return CatalogueUnavailable(f"{where} does not answer")
            case grpc.StatusCode.DEADLINE_EXCEEDED:
                return CatalogueUnavailable(f"{where} did not answer in time (QDRANT_TIMEOUT_SECONDS)")
            case grpc.StatusCode.RESOURCE_EXHAUSTED | grpc.StatusCode.CANCELLED:
                return CatalogueUnavailable(f"{where} is too busy: {details}")
            case grpc.StatusCode.NOT_FOUND:
                return NoCollection(details)
            case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
                return CatalogueError(f"{where} refuses the key (QDRANT_API_KEY)")
        return CatalogueError(f"{where} refused a call: {details}")
