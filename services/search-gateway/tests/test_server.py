"""The real server, as a process."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest

START_SECONDS = 30
SCRIPT = Path(__file__).with_name("serve_fakes.py")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds=START_SECONDS):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("not in time")


class Server:
    """A gateway of fakes."""

    def __init__(self, folder, **settings):
        (folder / "workers").mkdir()
        (folder / "metrics").mkdir()
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log"
        environment = {
            **os.environ,
            "GATEWAY_PORT": str(self.port),
            "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
            **{name: str(value) for name, value in settings.items()},
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, SCRIPT, folder], env=environment, stderr=log, stdout=log, cwd=folder
            )

    def wait(self):
        """Wait until it answers."""

        def answers():
            assert self.process.poll() is None, self.log.read_text()
            try:
                return httpx.get(f"{self.url}/healthz").status_code == 200
            except httpx.TransportError:
                return False

        wait_until(answers)

    def lines(self):
        """Return what it logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self):
        """End it, however it is."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


@pytest.fixture
def start(tmp_path):
    started = []

    def make(**settings):
        server = Server(tmp_path, **settings)
        started.append(server)
        server.wait()
        return server

    yield make
    for server in started:
        server.stop()


def test_sigterm_finishes_what_is_in_hand(start):
    server = start(SLOW_ENCODER=1)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(httpx.get, f"{server.url}/api/v1/search?q=cat", timeout=20)
        wait_until((server.folder / "in-hand").exists)
        server.process.send_signal(signal.SIGTERM)
        response = answer.result()
    assert response.status_code == 200
    assert len(response.json()["results"]) == 3
    assert server.process.wait(10) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/healthz")
    assert not [line for line in server.lines() if line["level"] in ("error", "critical")]


def events(response):
    """Yield the data of a stream's events."""
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_listeners_hold_up_neither_searches_nor_the_end(start):
    server = start(GATEWAY_THREADS=2, GATEWAY_STREAMS=6)
    address = f"{server.url}/api/v1/ingest/events"
    with httpx.Client(timeout=20) as client, ExitStack() as stack:
        streams = [events(stack.enter_context(client.stream("GET", address))) for _ in range(6)]
        assert all(next(stream)["indexed"] == 3 for stream in streams)
        refused = httpx.get(address)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"]
        assert refused.json()["type"] == "urn:sightline:problem:too-many-streams"
        for number in range(4):
            assert httpx.get(f"{server.url}/api/v1/search?q=cat{number}").status_code == 200
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        for stream in streams:
            assert list(stream) == []
        assert server.process.wait(20) == 0
        # GATEWAY_DRAIN_SECONDS is 30.
        assert time.monotonic() - began < 15
    assert not [line for line in server.lines() if line["level"] in ("error", "critical")]


def test_a_listener_that_goes_makes_room_for_another(start):
    server = start(GATEWAY_STREAMS=1)
    address = f"{server.url}/api/v1/ingest/events"
    with httpx.stream("GET", address) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert stream.headers["X-Accel-Buffering"] == "no"
        assert next(events(stream))["failed"] == 0

    def listens():
        with httpx.stream("GET", address) as stream:
            return stream.status_code == 200 and next(events(stream))["indexed"] == 3

    wait_until(listens)


def test_several_processes_count_together(start):
    server = start(GATEWAY_WORKERS=2)
    workers = server.folder / "workers"
    wait_until(lambda: len(list(workers.iterdir())) == 2)
    for number in range(40):
        # A connection each, so that both get some.
        httpx.get(f"{server.url}/api/v1/search?q=cat{number}")
    text = httpx.get(f"{server.url}/metrics").text
    assert 'sightline_gateway_step_seconds_count{step="encode"} 40.0' in text
    assert len(list((server.folder / "metrics").glob("histogram_*.db"))) >= 2
    family = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children()]
    assert len(family) == 3
    [resident] = re.findall(r"^process_resident_memory_bytes (.+)$", text, re.MULTILINE)
    assert float(resident) == pytest.approx(sum(process.memory_info().rss for process in family), rel=0.1)


def test_one_line_a_request(start):
    server = start()
    httpx.get(f"{server.url}/api/v1/search?q=cat", headers={"X-Request-ID": "abc"})
    [line] = [line for line in server.lines() if line["event"] == "request"]
    assert line["request_id"] == "abc"
    assert line["service"] == "search-gateway"
    assert line["status"] == 200
    assert line["results"] == 3
    assert line["ms"] > 0


def talk(server, data, seconds=10):
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as client:
        client.sendall(data)
        answer = b""
        while chunk := client.recv(65536):
            answer += chunk
    return answer


def test_what_is_no_request_is_a_problem_too(start):
    server = start()
    for data, status in (
        (b"NONSENSE\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 9000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nbad header: x\r\n\r\n", b"400"),
    ):
        head, _, body = talk(server, data).partition(b"\r\n\r\n")
        assert head.split()[1] == status
        assert b"application/problem+json" in head
        assert json.loads(body)["status"] == int(status)


def test_clients_that_send_nothing_more_are_cut_off(start):
    server = start(GATEWAY_SOCKET_SECONDS=0.3)
    assert talk(server, b"GET /healthz HTTP/1.1\r\nHost: loc") == b""
    upload = b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    upload += b"Content-Type: multipart/form-data; boundary=sep\r\n\r\n--sep\r\n"
    head, _, body = talk(server, upload).partition(b"\r\n\r\n")
    assert head.split()[1] == b"408"
    assert json.loads(body)["type"] == "urn:sightline:problem:too-slow"
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_threads_held_by_slow_clients_come_back(start):
    server = start(GATEWAY_SOCKET_SECONDS=1, GATEWAY_THREADS=2)
    held = []
    try:
        for _ in range(8):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            client.sendall(b"GET /healthz HTTP/1.1\r\n")
            held.append(client)
        assert httpx.get(f"{server.url}/healthz", timeout=15).status_code == 200
    finally:
        for client in held:
            client.close()


def test_help_says_where_the_settings_are():
    result = subprocess.run(
        [sys.executable, "-m", "sightline_search_gateway", "--help"], capture_output=True, text=True, check=True
    )
    assert "README.md" in result.stdout


def test_a_wrong_setting_stops_the_start_with_one_line(tmp_path):
    stores = {"BUCKET_URL": (tmp_path / "a").as_uri(), "THUMBNAIL_URL": (tmp_path / "b").as_uri()}
    environment = {**os.environ, **stores, "GATEWAY_PORT": "eighty"}
    result = subprocess.run(
        [sys.executable, "-m", "sightline_search_gateway"], capture_output=True, text=True, env=environment, check=False
    )
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert "GATEWAY_PORT=eighty" in line
