"""The system in containers, built from this checkout, over a folder of pictures and over an S3 store."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from buckets import Folder, Objects, fill
from engine import System, missing, wait_for


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


@pytest.fixture(scope="session", params=["folder", "s3"])
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    """Return the system with twelve pictures: in a folder that it reads, and then in an S3 store of its own."""
    if why := missing():
        pytest.skip(f"containers cannot be run: {why}")
    encoder = free_port(neighbours=1)
    settings = {
        "WEB_PORT": str(free_port()),
        # One for each of two encoders.
        "ENCODER_PORT": f"{encoder}-{encoder + 1}",
        "S3_PORT": str(free_port()),
    }
    bucket: Folder | Objects
    if request.param == "s3":
        overlays, bucket = ["edge", "s3"], Objects(int(settings["S3_PORT"]))
    else:
        overlays, bucket = ["edge"], Folder()
        settings["PICTURES_DIR"] = str(bucket.path)
    running = System(f"sightline-test-{os.getpid()}-{request.param}", overlays, settings, bucket)
    try:
        running.compose("build", "--quiet", timeout_seconds=1500)
        running.up()
        fill(bucket)
        wait_for("the pictures are indexed", lambda: len(running.indexed()) == 12, 60)
        yield running
    finally:
        for service in running.containers():
            print(f"--- {service}")
            print(running.compose("logs", "--no-color", "--tail", "15", service))
        running.compose("down", "--volumes", "--timeout", "20")
        running.http.close()
        bucket.close()
