"""One process's HTTP server: waitress, which reads a request wholly, headers and body, before a thread takes it."""

from __future__ import annotations

import logging
import re
import resource
import socket
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from threading import Event

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher
from waitress.utilities import BadRequest

from sightline_search_gateway.http.json_body import dump_json
from sightline_search_gateway.http.problems import MIME_TYPE
from sightline_search_gateway.settings import GatewaySettings

WsgiApp = Callable[..., Iterable[bytes]]
HEALTH_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
HEALTH_THREADS = 4
MAX_CONNECTIONS = 1000
MAX_OPEN_FILES = 4096
"""A connection may have a file besides, of a body that has not arrived in full, or of an answer not yet taken."""
MAX_HEADER_BYTES = 32 * 1024
RECEIVE_BYTES = 64 * 1024
POLL_SECONDS = 1
DRAIN_POLL_SECONDS = 0.1
HOST = re.compile(r"[\w.~%!$&'()*+;=:\[\]-]+", re.ASCII)
MAX_REASON = 200
DETAILS = {
    408: "The request did not arrive in time.",
    413: "The request is larger than this gateway accepts.",
    431: "The address or the headers are too large.",
    500: "The server cannot answer this request.",
}


class RequestTimeout(BadRequest):  # type: ignore[misc]
    """A client began a request and sent nothing more."""

    code = 408
    reason = "Request Timeout"


class RequestParser(HTTPRequestParser):  # type: ignore[misc]
    """Refuses requests that waitress's own parser lets through or fails at."""

    def received(self, data: bytes) -> int:
        """Take data of a request; return how many bytes of it belong to the request."""
        consumed: int = super().received(data)
        body = self.body_rcv
        # Otherwise it grows to the size of the largest body, and is copied as a whole each time.
        if isinstance(body, ChunkedReceiver) and len(body.control_line) + len(body.trailer) > MAX_HEADER_BYTES:
            self.error = BadRequest("A chunk's size or the trailer is too long")
            self.completed = True
        if self.error is not None:
            # Otherwise the channel asks for the body of a request that is refused.
            self.expect_continue = False
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the first line and the headers.

        Raises:
            ParsingError: They cannot be read.
        """
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            # For example of a number of thousands of digits, or of an address with half a bracket.
            raise ParsingError("The address or Content-Length is invalid") from error
        host = self.headers.get("HOST")
        if host is None and self.version == "1.1":
            raise ParsingError("HTTP/1.1 needs a Host header")
        # Two of them arrive here as one, with a comma in between.
        if host is not None and not HOST.fullmatch(host):
            raise ParsingError("The Host header is no name, or there are several")


class ProblemTask(ErrorTask):  # type: ignore[misc]
    """Answers a request that never reaches the application with a problem."""

    def execute(self) -> None:
        """Send the problem and close the connection."""
        error = self.request.error
        status = error.code
        title = HTTPStatus(status).phrase
        detail = DETAILS.get(status) or f"The request cannot be read: {error.body[:MAX_REASON]}."
        body = dump_json({"type": "about:blank", "title": title, "status": status, "detail": detail})
        self.status = f"{status} {title}"
        self.response_headers += [("Content-Type", MIME_TYPE), ("X-Content-Type-Options", "nosniff")]
        self.content_length = len(body)
        self.set_close_on_finish()
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A client's connection."""

    error_task_class = ProblemTask
    parser_class = RequestParser
    request: HTTPRequestParser | None = None

    @property
    def has_request(self) -> bool:
        """Whether a request is arriving, waits, or is being answered."""
        return bool(self.requests or self.request is not None or self.total_outbufs_len)

    def time_out(self) -> None:
        """Answer a request that has stopped arriving with 408."""
        with self.requests_lock:
            if self.request is None or self.requests:
                return
            self.request.error = RequestTimeout("")
            self.requests.append(self.request)
            self.request = None
        self.server.add_task(self)


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
        max_body_bytes: A larger body is refused before it is read.
        max_answer_bytes: Of a larger answer, a thread waits until the client has taken some.
    """

    channel_class = Channel

    def __init__(
        self,
        app: WsgiApp,
        listener: socket.socket,
        settings: GatewaySettings,
        *,
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
        self._drain_seconds = settings.drain_seconds

    def maintenance(self, now: float) -> None:
        """Close idle connections; answer those that began a request with 408."""
        for channel in list(self.active_channels.values()):
            if channel.last_activity < now - self.adj.channel_timeout:
                channel.time_out()
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
