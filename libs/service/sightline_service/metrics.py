"""Prometheus metrics on a port of their own."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Thread
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from pydantic_settings import SettingsConfigDict

from sightline_service.settings import SettingsGroup


class MetricsSettings(SettingsGroup):
    """Metrics of the encoder, the workers and the watcher, each on a port of its own."""

    model_config = SettingsConfigDict(env_prefix="METRICS_")

    address: str = "127.0.0.1"
    """The address on which `/metrics` is served; the gateway serves it on its own."""


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


def serve_metrics(address: str, port: int, registry: CollectorRegistry = REGISTRY) -> MetricsServer | None:
    """Serve `/metrics` in a background thread; port 0 switches it off.

    Raises:
        OSError: The port is in use.
    """
    if port == 0:
        return None
    server, thread = start_http_server(port, address, registry)
    return MetricsServer(server, thread)


def try_to_serve_metrics(address: str, port: int, registry: CollectorRegistry = REGISTRY) -> MetricsServer | None:
    """Serve `/metrics`; if the port is in use, log that and go on without: the service's work matters more."""
    try:
        return serve_metrics(address, port, registry)
    except OSError as error:
        log.warning("no metrics: the port is in use", address=address, port=port, error=error.strerror)
        return None
