"""One process's HTTP server: waitress, which reads a request wholly, headers and body, before a thread takes it."""

from __future__ import annotations

import logging
import resource
import socket
import time
from collections.abc import Callable, Iterable
from threading import Event

import structlog
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from sightline_search_gateway.access.proxies import TrustedProxies, group, parse_address
from sightline_search_gateway.body_budget import BodyBudget
from sightline_search_gateway.connection import Channel
from sightline_search_gateway.http.admission import Admit
from sightline_search_gateway.request_parser import MAX_HEADER_BYTES
from sightline_search_gateway.settings import GatewaySettings

WsgiApp = Callable[..., Iterable[bytes]]
HEALTH_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
HEALTH_THREADS = 4
MAX_CONNECTIONS = 1000
MAX_PEER_CONNECTIONS = 500
"""Of one address, so that others are served whatever it does. A trusted proxy, through which all come, may have all."""
MAX_OPEN_FILES = 4096
"""A connection may have a file besides, of a body that has not arrived in full, or of an answer not yet taken."""
RECEIVE_BYTES = 64 * 1024
POLL_SECONDS = 1
DRAIN_POLL_SECONDS = 0.1
log = structlog.get_logger()


class Dispatcher:
    """Hands requests to threads; health checks and metrics have some of their own, and answer whatever else waits."""

    def __init__(self, threads: int) -> None:
        self._requests = ThreadedTaskDispatcher()
        self._requests.set_thread_count(threads)
        self._health = ThreadedTaskDispatcher()
        self._health.set_thread_count(HEALTH_THREADS)

    def add_task(self, channel: Channel) -> None:
        """Queue the request of a channel."""
        request = channel.requests[0]
        is_health = request.error is None and request.path in HEALTH_PATHS
        (self._health if is_health else self._requests).add_task(channel)


class GatewayServer(TcpWSGIServer):  # type: ignore[misc]
    """Serves until it is stopped, then finishes open requests.

    Args:
        app: The WSGI application.
        listener: A listening socket; several processes may share it.
        settings: The gateway's.
        admit: Says of a request's headers how large its body may be, or why it is refused.
        budget: The room for bodies.
        max_body_bytes: A larger body, its chunks' sizes included, is refused whatever the call.
        max_answer_bytes: Of a larger answer, a thread waits until the client has taken some.
    """

    channel_class = Channel

    def __init__(
        self,
        app: WsgiApp,
        listener: socket.socket,
        settings: GatewaySettings,
        *,
        admit: Admit,
        budget: BodyBudget,
        max_body_bytes: int,
        max_answer_bytes: int,
    ) -> None:
        adjustments = Adjustments(
            sockets=[listener],
            connection_limit=MAX_CONNECTIONS,
            channel_timeout=max(1, round(settings.socket_seconds)),
            cleanup_interval=1,
            channel_request_lookahead=0,
            max_request_header_size=MAX_HEADER_BYTES,
            # waitress refuses what is as large, too.
            max_request_body_size=max_body_bytes + 1,
            recv_bytes=RECEIVE_BYTES,
            # `access.proxies` decides which proxies are believed.
            clear_untrusted_proxy_headers=False,
            # An answer lies in a temporary file until its client has taken it: a slow one holds no thread.
            outbuf_high_watermark=max_answer_bytes,
            log_socket_errors=False,
            ident=None,
        )
        address = (listener.family, listener.type, listener.proto, listener.getsockname())
        super().__init__(
            app, {}, True, listener, Dispatcher(settings.threads), adjustments, sockinfo=address, bind_socket=False
        )
        self.admit = admit
        self.budget = budget
        self._drain_seconds = settings.drain_seconds
        self._pace_seconds = settings.socket_seconds
        self._proxies = TrustedProxies(settings.trusted_networks, "")
        self._crowded: set[str] = set()

    def accept(self) -> tuple[socket.socket, tuple[str, int]] | None:
        """Return the next connection; None for one of an address that has its share."""
        accepted: tuple[socket.socket, tuple[str, int]] | None = super().accept()
        if accepted is None:
            return None
        connection, client = accepted
        address = parse_address(client[0])
        peer = group(address)
        count = sum(channel.peer == peer for channel in self.active_channels.values())
        if count < MAX_PEER_CONNECTIONS or self._proxies.trusts(address):
            self._crowded.discard(peer)
            return accepted
        connection.close()
        if peer not in self._crowded:
            self._crowded = {*list(self._crowded)[-MAX_CONNECTIONS:], peer}
            log.warning("an address has too many connections; is it a proxy (GATEWAY_TRUSTED_PROXIES)?", client=peer)
        return None

    def maintenance(self, now: float) -> None:
        """Close idle connections; answer those that began a request and are too slow with 408."""
        clock = time.monotonic()
        for channel in list(self.active_channels.values()):
            if channel.last_activity < now - self.adj.channel_timeout and channel.request is not None:
                channel.time_out()
            else:
                channel.check_pace(clock, self._pace_seconds)
        super().maintenance(now)

    def serve_until(self, stopped: Event) -> None:
        """Serve; once stopped, accept no more connections, and return when open requests are answered."""
        while not stopped.is_set():
            wasyncore.loop(POLL_SECONDS, use_poll=True, map=self._map, count=1)
        wasyncore.dispatcher.close(self)
        deadline = time.monotonic() + self._drain_seconds
        while time.monotonic() < deadline:
            for channel in list(self.active_channels.values()):
                if not channel.has_request:
                    channel.handle_close()
            if not self.active_channels:
                return
            wasyncore.loop(DRAIN_POLL_SECONDS, use_poll=True, map=self._map, count=1)


def set_up_process() -> None:
    """Set limits and logging of a process that serves."""
    # It warns of each request that waits for a thread, which is normal.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MAX_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
