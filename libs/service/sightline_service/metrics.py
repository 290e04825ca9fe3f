"""Prometheus metrics on a port of their own, with `/healthz` for health checks."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app
from pydantic_settings import SettingsConfigDict

from sightline_service.heartbeat import heartbeat_problem
from sightline_service.settings import SettingsGroup


class MetricsSettings(SettingsGroup):
    """Metrics of the encoder, the workers and the watcher, each on a port of its own."""

    model_config = SettingsConfigDict(env_prefix="METRICS_")

    address: str = "127.0.0.1"
    """The address on which `/metrics` is served, or unix:/PATH, which stands for the Unix socket /PATH-PORT. The
    gateway serves its metrics on its own port."""


log = structlog.get_logger()


@dataclass(frozen=True)
class MetricsServer:
    """A running metrics endpoint."""

    server: WSGIServer
    thread: Thread

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self.server.server_port

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=5)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Ipv6Server(_Server):
    address_family = socket.AF_INET6


class _UnixServer(_Server):
    """Serves HTTP on a Unix socket."""

    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        # Left there by a process that was killed.
        with suppress(FileNotFoundError):
            os.unlink(str(self.server_address))
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", 0
        self.setup_environ()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, _ = super().get_request()
        return connection, ("", 0)


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def _application(registry: CollectorRegistry) -> Callable[..., Iterable[bytes]]:
    """Return the WSGI application: `/healthz`, and the metrics under every other path."""
    metrics = make_wsgi_app(registry)

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/healthz":
            return metrics(environ, start_response)  # type: ignore[no-any-return]
        problem = heartbeat_problem()
        start_response("503 Service Unavailable" if problem else "200 OK", [("Content-Type", "text/plain")])
        return [f"{problem or 'ok'}\n".encode()]

    return serve


def metrics_socket(address: str, port: int) -> str:
    """Return the path of the Unix socket that an address `unix:/PATH` and a port stand for."""
    return f"{address.removeprefix('unix:')}-{port}"


def serve_metrics(address: str, port: int, registry: CollectorRegistry = REGISTRY) -> MetricsServer | None:
    """Serve `/metrics` and `/healthz` in a background thread; port 0 switches it off.

    Raises:
        OSError: The port is in use.
    """
    if port == 0:
        return None
    if address.startswith("unix:"):
        server: _Server = _UnixServer(metrics_socket(address, port), _QuietHandler)  # type: ignore[arg-type]
    else:
        server = (_Ipv6Server if ":" in address else _Server)((address, port), _QuietHandler)
    server.set_app(_application(registry))
    thread = Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    return MetricsServer(server, thread)


def try_to_serve_metrics(address: str, port: int, registry: CollectorRegistry = REGISTRY) -> MetricsServer | None:
    """Serve `/metrics`; if the port is in use, log that and go on without: the service's work matters more."""
    try:
        return serve_metrics(address, port, registry)
    except OSError as error:
        log.warning("no metrics: the port is in use", address=address, port=port, error=error.strerror)
        return None
