"""The system in containers, built from this checkout, over a folder of pictures."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from engine import System, missing, wait_for
from pictures import drawn, photograph


def free_port(neighbours: int = 0) -> int:
    """Return a free port whose next ones are free too."""
    while True:
        with ExitStack() as ends:
            first = ends.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                for number in range(1, neighbours + 1):
                    ends.enter_context(socket.socket()).bind(("127.0.0.1", port + number))
            except OSError:
                continue
            return port


@pytest.fixture(scope="session")
def bucket() -> Iterator[Path]:
    """Return a folder that the containers' user may read."""
    folder = Path(tempfile.mkdtemp(prefix="sightline-compose-"))
    folder.chmod(0o755)
    for name in ("flower.jpg", "china.jpg"):
        (folder / name).write_bytes(photograph(name))
    for seed in range(10):
        (folder / f"drawn-{seed}.jpg").write_bytes(drawn(seed))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def system(bucket: Path) -> Iterator[System]:
    if why := missing():
        pytest.skip(f"containers cannot be run: {why}")
    encoder = free_port(neighbours=1)
    settings = {
        "PICTURES_DIR": str(bucket),
        "WEB_PORT": str(free_port()),
        # One for each of two encoders.
        "ENCODER_PORT": f"{encoder}-{encoder + 1}",
    }
    running = System(f"sightline-test-{os.getpid()}", settings)
    try:
        running.compose("build", "--quiet", timeout_seconds=1500)
        running.up()
        wait_for("the pictures are indexed", lambda: len(running.indexed()) == 12, 60)
        yield running
    finally:
        for service in running.containers():
            print(f"--- {service}")
            print(running.compose("logs", "--no-color", "--tail", "15", service))
        running.compose("down", "--volumes", "--timeout", "20")
        running.http.close()
