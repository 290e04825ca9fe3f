"""gunicorn, set up from the gateway's settings instead of from files and flags of its own."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from apiflask import APIFlask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.http.errors import (  # type: ignore[import-untyped]
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from sightline_search_gateway.answers import dump_json
from sightline_search_gateway.bootstrap import serve_app
from sightline_search_gateway.parts import EXTENSION
from sightline_search_gateway.problems import MIME_TYPE
from sightline_search_gateway.settings import Settings
from sightline_search_gateway.turns import Turns

KEEP_ALIVE_SECONDS = 75
WORKER_CONNECTIONS = 1000
LONGEST_REQUEST_LINE = 8190
WORKER_SILENCE_SECONDS = 60
CANNOT_START = 4
"""The exit status upon which gunicorn gives up instead of trying again."""
log = structlog.get_logger()


class GatewayServer(BaseApplication):  # type: ignore[misc]
    """Serves until SIGTERM, then finishes what is in hand."""

    def __init__(self, settings: Settings, make_app: Callable[[Settings], APIFlask] = serve_app) -> None:
        self._settings = settings
        self._make_app = make_app
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn up."""
        gateway = self._settings.gateway
        host = f"[{gateway.address}]" if ":" in gateway.address else gateway.address
        config = {
            "bind": f"{host}:{gateway.port}",
            "workers": gateway.workers,
            "worker_class": GatewayWorker,
            # A stream keeps a thread for as long as it lasts.
            "threads": gateway.threads + gateway.streams,
            "worker_connections": max(WORKER_CONNECTIONS, 2 * (gateway.threads + gateway.streams)),
            "timeout": WORKER_SILENCE_SECONDS,
            "graceful_timeout": gateway.drain_seconds,
            "keepalive": KEEP_ALIVE_SECONDS,
            "limit_request_line": LONGEST_REQUEST_LINE,
            "logger_class": RootLogger,
            "loglevel": self._settings.log.level,
            "control_socket_disable": True,
            "proc_name": "sightline-search-gateway",
            "post_worker_init": lambda worker: _time_out(worker.sockets, gateway.socket_seconds),
        }
        for name, value in config.items():
            self.cfg.set(name, value)

    def load(self) -> APIFlask:
        """Return the application; called in each worker, after the fork."""
        try:
            app = self._make_app(self._settings)
            app.wsgi_app = Turns(app.wsgi_app, self._settings.gateway.threads)  # type: ignore[method-assign]
            return app
        except Exception as error:
            log.error("cannot start", error=str(error))
            raise SystemExit(CANNOT_START) from None


class RootLogger(Logger):  # type: ignore[misc]
    """Hands gunicorn's records to the root logger, so that all lines look alike."""

    def setup(self, cfg: Any) -> None:
        """Leave the handlers to the root logger."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.addFilter(_is_not_slow_client)


class GatewayWorker(ThreadWorker):  # type: ignore[misc]
    """Answers even what cannot be taken apart with a problem, and ends streams when it is to stop."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin to stop: what is in hand is finished, and a stream would never be."""
        self.wsgi.extensions[EXTENSION].streams.stop()
        super().handle_exit(sig, frame)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Tell a client about a request that never reached the application."""
        match exc:
            case LimitRequestLine():
                status, detail = 414, "The address is too long."
            case LimitRequestHeaders():
                status, detail = 431, "The headers are too large."
            case ParseException():
                status, detail = 400, "This is no HTTP request that can be read."
            case _:
                status, detail = 500, "Something went wrong here."
                log.error("request failed outside the application", exc_info=exc)
        title = HTTPStatus(status).phrase
        body = dump_json({"type": "about:blank", "title": title, "status": status, "detail": detail})
        head = (
            f"HTTP/1.1 {status} {title}\r\nContent-Type: {MIME_TYPE}\r\nContent-Length: {len(body)}\r\n"
            "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
        )
        try:
            client.sendall(head.encode("ascii") + body)
        except OSError:
            log.debug("client gone before it could be told", status=status)


def _time_out(listeners: list[Any], seconds: float) -> None:
    """Bound how long a client may keep a thread by sending or taking nothing.

    gunicorn has no such limit for threads, and makes sockets blocking before each request, which undoes Python's. The
    kernel's own stays, and accepted sockets inherit it from the listening one.
    """
    interval = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
    for listener in listeners:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, interval)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, interval)


def _is_not_slow_client(record: logging.LogRecord) -> bool:
    """Leave out the tracebacks of clients that were cut off; they say nothing about this service."""
    return not (record.exc_info and isinstance(record.exc_info[1], BlockingIOError))


def serve(settings: Settings, make_app: Callable[[Settings], APIFlask] = serve_app) -> None:
    """Serve until SIGTERM; never returns.

    Args:
        settings: The gateway's.
        make_app: Called in each worker, after the fork.
    """
    GatewayServer(settings, make_app).run()
