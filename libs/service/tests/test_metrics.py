"""The metrics of a service, and its heartbeat, over HTTP."""

from __future__ import annotations

import socket

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge
from sightline_service import heartbeat
from sightline_service.metrics import metrics_socket, serve_metrics


@pytest.fixture(params=["127.0.0.1", "::1", "unix"])
def client(request, tmp_path):
    registry = CollectorRegistry()
    Gauge("pictures", "Of a test.", registry=registry).set(7)
    address = f"unix:{tmp_path}/metrics" if request.param == "unix" else request.param
    with socket.socket(socket.AF_INET6 if address == "::1" else socket.AF_INET) as probe:
        try:
            probe.bind(("::1" if address == "::1" else "127.0.0.1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        port = probe.getsockname()[1]
    server = serve_metrics(address, port, registry)
    transport = httpx.HTTPTransport(uds=metrics_socket(address, port)) if request.param == "unix" else None
    host = "localhost" if request.param == "unix" else f"[{address}]" if ":" in address else address
    with httpx.Client(base_url=f"http://{host}:{port}", transport=transport, trust_env=False) as client:
        yield client
    server.close()


def test_metrics_and_heartbeat_are_served(client, monkeypatch):
    monkeypatch.setattr(heartbeat, "_beaten_at", None)
    assert "pictures 7.0" in client.get("/metrics").text
    assert (client.get("/healthz").status_code, "not begun" in client.get("/healthz").text) == (503, True)
    heartbeat.beat()
    assert (client.get("/healthz").status_code, client.get("/healthz").text) == (200, "ok\n")
    monkeypatch.setattr(heartbeat, "MAX_AGE_SECONDS", 0.0)
    assert client.get("/healthz").status_code == 503
    assert "last worked" in client.get("/healthz").text
