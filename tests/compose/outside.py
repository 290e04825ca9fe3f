"""A machine outside of the engine's, as the internet is: it listens, and knows no way to addresses of containers."""

from __future__ import annotations

import os
import subprocess
import sys

HERE, THERE = "198.51.100.1", "198.51.100.2"
"""Of a block that is for documentation, so that nobody has it."""
PORT = 8443
LISTEN = f"""
import socket
with socket.create_server(("{THERE}", {PORT})) as server:
    print("listening", flush=True)
    while True:
        server.accept()[0].close()
"""
CONNECT = f"""
import socket
socket.create_connection(("{THERE}", {PORT}), timeout=3).close()
"""


class Outside:
    """The machine, while the block runs. Needs root."""

    def __init__(self) -> None:
        self._name = f"sightline-{os.getpid() % 10000}"

    def __enter__(self) -> Outside:
        here, there = f"sl{os.getpid() % 10000}a", f"sl{os.getpid() % 10000}b"
        run("ip", "netns", "add", self._name)
        run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", self._name)
        run("ip", "address", "add", f"{HERE}/30", "dev", here)
        run("ip", "link", "set", here, "up")
        run("ip", "-n", self._name, "address", "add", f"{THERE}/30", "dev", there)
        run("ip", "-n", self._name, "link", "set", there, "up")
        command = ["ip", "netns", "exec", self._name, sys.executable, "-c", LISTEN]
        self._server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._server.stdout is not None
        assert self._server.stdout.readline().strip() == "listening"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.kill()
        # Closes the pipe, too.
        self._server.communicate()
        run("ip", "netns", "delete", self._name)

    def reached_from(self, pid: int) -> bool:
        """Return whether a connection from the network of a process comes about."""
        command = ["nsenter", "--target", str(pid), "--net", sys.executable, "-c", CONNECT]
        return subprocess.run(command, capture_output=True).returncode == 0


def run(*command: str) -> None:
    """Run a command."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
