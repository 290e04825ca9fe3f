"""SlowClients clients, against a server of one thread."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from itertools import count

import pytest

from benchmarks import slow_clients
from benchmarks.slow_clients import KINDS, Connections, measure


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def log_message(self, *_):
        """Say nothing."""


class Threads(ThreadingHTTPServer):
    request_queue_size = 512


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.setattr(slow_clients, "SECONDS", 0.5)
    monkeypatch.setattr(slow_clients, "BYTE_SECONDS", 0.1)
    servers = []

    def start(kind):
        servers.append(kind(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1].server_address[1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_a_thread_for_everybody_answers_all(kind, serve):
    port = serve(Threads)
    asked = measure(KINDS[kind], f"http://127.0.0.1:{port}/healthz", port, map(str, count()))
    assert all(one.count and not one.failed and one.longest_ms for one in asked.values())


def test_whoever_is_closed_comes_again(serve):
    port = serve(Threads)
    with closing(Connections(KINDS["idle"], port)) as held:
        held.hold()
        first = held._connections[0]
        first.setblocking(True)
        first.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while first.recv(1000):
            time.sleep(0.01)
        first.setblocking(False)
        held.hold()
        assert held._connections[0] is not first


def test_a_server_that_is_held_up_is_seen(serve, monkeypatch):
    monkeypatch.setattr(slow_clients, "TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(slow_clients, "CONNECT_SECONDS", 0.1)
    port = serve(HTTPServer)
    asked = measure(KINDS["slow_bodies"], f"http://127.0.0.1:{port}/healthz", port, map(str, count()))
    assert all(one.failed and one.longest_ms >= 300 for one in asked.values())
