"""The connection to Qdrant: opened on first use, with retries."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass

import grpc
from qdrant_client import grpc as api

from sightline_catalogue.errors import CatalogueError, CatalogueReadOnly, CatalogueUnavailable, NotFound
from sightline_catalogue.methods import Method, Reply, Request, Stubs
from sightline_catalogue.settings import CatalogueSettings

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
MOST_TRIES = 8
"""With the pauses between them some four seconds: enough for a restart of the server."""

_REST_PORT = 6333
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class _Opened:
    channel: grpc.Channel
    stubs: Stubs


# A forked child cannot use its parent's channel, and closing it would end the parent's connection. So the child keeps a
# reference and never touches it.
_inherited: list[_Opened] = []


class Connection:
    """Calls Qdrant by the stubs of `qdrant_client`, over a channel of its own: no call goes through an interceptor.

    The channel is opened by the first call of each process, so an object that was made before a fork works after it;
    one that was used before a fork opens another in the child. Safe to share between threads.

    Args:
        settings: Where the server is and how long to wait for it.
    """

    def __init__(self, settings: CatalogueSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        self._metadata = (("api-key", key),) if key else ()
        self._opened: _Opened | None = None
        self._pid = 0

    def call(
        self, method: Method[Request, Reply], request: Request, *, tries: int = MOST_TRIES, seconds: float | None = None
    ) -> Reply:
        """Call a method of Qdrant; retry while the server is unavailable.

        Every call is idempotent: points are replaced, and states set, by id.

        Args:
            method: The method.
            request: Its request.
            tries: The most tries.
            seconds: The timeout of all tries together, if shorter than that of the settings.

        Raises:
            CatalogueError: CatalogueUnavailable or NotFound among them.
        """
        seconds = min(seconds or self._settings.timeout_seconds, self._settings.timeout_seconds)
        deadline = time.monotonic() + seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            tries -= 1
            left = max(deadline - time.monotonic(), 0.001)
            try:
                return method.of(self._open().stubs)(request, timeout=left, metadata=self._metadata)
            except grpc.RpcError as error:
                again = error.code() is grpc.StatusCode.UNAVAILABLE and tries > 0
                if not again or time.monotonic() + pause >= deadline:
                    raise self._catalogue_error(error, seconds) from None
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def close(self) -> None:
        """Close the channel; a later call opens another."""
        with self._lock:
            opened, self._opened = self._opened, None
            if opened is not None and self._pid == os.getpid():
                opened.channel.close()
            elif opened is not None:
                _inherited.append(opened)

    def _open(self) -> _Opened:
        opened = self._opened
        if opened is not None and self._pid == os.getpid():
            return opened
        with self._lock:
            if self._opened is not None and self._pid != os.getpid():
                _inherited.append(self._opened)
                self._opened = None
            if self._opened is None:
                channel = self._connect()
                stubs = Stubs(api.PointsStub(channel), api.CollectionsStub(channel))  # type: ignore[no-untyped-call]
                self._opened = _Opened(channel, stubs)
                self._pid = os.getpid()
            return self._opened

    def _connect(self) -> grpc.Channel:
        settings = self._settings
        options: dict[str, int] = {
            # No limits here: Qdrant has its own.
            "grpc.max_send_message_length": -1,
            "grpc.max_receive_message_length": -1,
            # gRPC's own pause grows to two minutes, which is how long a restarted server would go unnoticed.
            "grpc.initial_reconnect_backoff_ms": 100,
            "grpc.min_reconnect_backoff_ms": 1000,
            "grpc.max_reconnect_backoff_ms": 1000,
            # Without pings, a connection to a machine that has died counts as open for a quarter of an hour.
            "grpc.keepalive_time_ms": 30_000,
            "grpc.keepalive_timeout_ms": 10_000,
        }
        if settings.host in _LOOPBACK:
            options["grpc.enable_http_proxy"] = 0
        target = f"{settings.host}:{settings.port}"
        if settings.encrypted:
            return grpc.secure_channel(target, grpc.ssl_channel_credentials(), list(options.items()))
        return grpc.insecure_channel(target, list(options.items()))

    @property
    def _address(self) -> str:
        return f"{self._settings.url} (QDRANT_URL)"

    def _catalogue_error(self, error: grpc.RpcError, seconds: float) -> CatalogueError:
        code, details = error.code(), error.details() or ""
        if code is grpc.StatusCode.NOT_FOUND:
            return NotFound(details)
        if code is grpc.StatusCode.UNAVAILABLE:
            hint = "; that is the port of REST, gRPC has 6334" if self._settings.port == _REST_PORT else ""
            return CatalogueUnavailable(f"Qdrant at {self._address} cannot be reached{hint}: {details}")
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return CatalogueUnavailable(f"Qdrant at {self._address} did not answer within {seconds:g} s")
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return CatalogueUnavailable(f"Qdrant at {self._address} is busy: {details}")
        if code is grpc.StatusCode.UNAUTHENTICATED:
            return CatalogueError(f"Qdrant at {self._address} refuses QDRANT_API_KEY: {details}")
        if code is grpc.StatusCode.PERMISSION_DENIED:
            return CatalogueReadOnly(f"Qdrant at {self._address} allows no write with this QDRANT_API_KEY: {details}")
        return CatalogueError(f"Qdrant at {self._address} answered {code.name}: {details}")
