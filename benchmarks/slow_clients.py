"""What slow clients do to others: `make bench-slow-clients`, the gateway alone and behind the page's nginx.

Meanwhile `/healthz` and a search are asked for again and again; the figures are the longest of each. Behind nginx the
slow clients and the searches come through nginx, the health checks straight to the gateway, as Compose's do.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import httpx
from sightline_local.stack import ROOT, Stack, free_port

from benchmarks.harness import pictures, results
from benchmarks.harness.system import answers, process, system
from benchmarks.harness.timing import meanwhile

SECONDS = 20.0
"""Waits for so long while slow clients are there."""
PAUSE_SECONDS, TIMEOUT_SECONDS, BYTE_SECONDS = 0.1, 30.0, 5.0
CONNECT_SECONDS, OPENING_SECONDS = 1.0, 10.0
"""A server that is held up takes no connections either: the rest is tried again later."""
WANTED_MS = {"health": 1000.0, "search": 2000.0}
HEAD = "POST /api/v1/search HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
BODY = "Content-Type: multipart/form-data; boundary=slow\r\nContent-Length: 100000\r\n\r\n--slow\r\n"


@dataclass(frozen=True)
class SlowClients:
    """How many clients of one kind there are, what each sends at first, and what every five seconds."""

    count: int
    opening: str = ""
    more: bytes = b""


KINDS = {
    "slow_bodies": SlowClients(20, HEAD + BODY, b"x"),
    "slow_headers": SlowClients(90, HEAD),
    "idle": SlowClients(300),
}


class Connections:
    """Connections of one kind to a port."""

    def __init__(self, slow: SlowClients, port: int) -> None:
        self._slow = slow
        self._port = port
        self._connections: dict[int, socket.socket] = {}

    def hold(self) -> None:
        """Open each that is not open, have the others send, and wait."""
        deadline = time.monotonic() + OPENING_SECONDS
        for number in range(self._slow.count):
            if time.monotonic() > deadline:
                return
            connection = self._connections.get(number)
            with suppress(OSError):
                if connection is None or not _is_open(connection):
                    if connection is not None:
                        self._connections.pop(number).close()
                    self._connections[number] = self._connect()
                elif self._slow.more:
                    connection.send(self._slow.more)

    def close(self) -> None:
        """Close all."""
        for connection in self._connections.values():
            connection.close()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), CONNECT_SECONDS)
        connection.sendall(self._slow.opening.format(host=f"127.0.0.1:{self._port}").encode())
        connection.setblocking(False)
        return connection


def _is_open(connection: socket.socket) -> bool:
    try:
        # An answer, or an end: either way it is over.
        connection.recv(1)
    except BlockingIOError:
        return True
    return False


@dataclass
class Waits:
    """What one kind of request met: the longest of them in milliseconds, how many, and how many failed."""

    longest_ms: float = 0.0
    count: int = 0
    failed: int = 0


def ask_once(ask: Callable[[], httpx.Response], asked: Waits) -> None:
    """Ask; what is not answered counts for as long as it was waited for."""
    began = time.perf_counter()
    try:
        asked.failed += ask().status_code != httpx.codes.OK
    except httpx.HTTPError:
        asked.failed += 1
    asked.longest_ms = max(asked.longest_ms, 1000 * (time.perf_counter() - began))
    asked.count += 1


def measure(slow: SlowClients, health_url: str, port: int, texts: Iterator[str]) -> dict[str, Waits]:
    """Return what health checks and searches met while slow clients were there."""
    get = partial(httpx.get, timeout=TIMEOUT_SECONDS, trust_env=False)
    search_url = f"http://127.0.0.1:{port}/api/v1/search"
    asks: dict[str, Callable[[], httpx.Response]] = {
        "health": lambda: get(health_url),
        "search": lambda: get(search_url, params={"q": next(texts)}),
    }
    asked = {name: Waits() for name in asks}
    with closing(Connections(slow, port)) as held:
        held.hold()
        calls = [partial(ask_once, ask, asked[name]) for name, ask in asks.items()]
        with meanwhile(held.hold, pause_seconds=BYTE_SECONDS), meanwhile(*calls, pause_seconds=PAUSE_SECONDS):
            time.sleep(SECONDS)
    return asked


@contextmanager
def nginx(program: str, stack: Stack) -> Iterator[int]:
    """Run nginx with the page's own configuration before a gateway until the block ends; gives its port."""
    port = free_port()
    folder = Path(tempfile.mkdtemp(dir=stack.state))
    web = ROOT / "services" / "web"
    (folder / "gateway.conf").write_text(f'map "" $gateway {{ default 127.0.0.1:{stack.ports.gateway}; }}\n')
    text = (web / "nginx.conf").read_text("utf-8")
    for there, here in {
        # First: the others may lie there, too.
        "/tmp/": f"{folder}/",  # noqa: S108
        "/etc/nginx/page-headers.conf": str(web / "page-headers.conf"),
        "/usr/share/nginx/html": str(web),
        "listen 8080": f"listen 127.0.0.1:{port}",
    }.items():
        text = text.replace(there, here)
    (folder / "nginx.conf").write_text(text, "utf-8")
    command = [program, "-c", str(folder / "nginx.conf"), "-p", str(folder), "-g", "daemon off;"]
    with process(command, {}, lambda: answers(f"http://127.0.0.1:{port}/index.html")):
        yield port


def main() -> None:
    """Index, measure, print and write."""
    found = pictures.find(results.options("bench-slow-clients", __doc__).images)
    names = pictures.class_names()
    texts = (f"{name}, picture {number}" for number in count(1) for name in names)
    rows: list[list[object]] = []
    figures: dict[str, float] = {}
    with ExitStack() as stack:
        running = stack.enter_context(system(found.folder))
        running.wait()
        ports = {"": running.stack.ports.gateway}
        if program := shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"):
            ports["nginx_"] = stack.enter_context(nginx(program, running.stack))
        else:
            results.say("there is no nginx here: the gateway is measured alone")
        for start, port in ports.items():
            for kind, slow in KINDS.items():
                results.say(f"{slow.count} {kind.replace('_', ' ')}{', through nginx' if start else ''}")
                for name, asked in measure(slow, f"{running.stack.url}/healthz", port, texts).items():
                    figures[f"{start}{kind}_{name}_max_ms"] = asked.longest_ms
                    figures[f"{start}{kind}_{name}_failed"] = asked.failed
                    rows.append([f"{start}{kind}", name, asked.longest_ms, WANTED_MS[name], asked.count, asked.failed])
    results.show(["slow clients", "asked for", "longest ms", "wanted", "times", "failed"], rows)
    results.write("bench-slow-clients", settings={"images": str(found.folder), "seconds": SECONDS}, figures=figures)


if __name__ == "__main__":
    main()
