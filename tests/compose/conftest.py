"""The system in containers, built from this checkout: with qdrant-edge, and with a Qdrant server where its image is.

Each over a folder of pictures and over an S3 store.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from buckets import SECRET, Folder, Objects, fill
from engine import SYSTEMS, System, has_server_image, missing, server_image, systems, wait_for
from sightline_local.stack import free_port, free_ports, is_free

KEYS = {
    "QDRANT_API_KEY": "a-key-that-writes",
    "QDRANT_READ_ONLY_API_KEY": "a-key-that-reads",
    "REDIS_PASSWORD": "a password: of/odd@characters%20&'s",
}
"""Of the systems over a folder; the others have none."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests are not run for want of Qdrant's image."""
    if not has_server_image():
        what = "docker-compose.yml with a Qdrant server, and deploy/cluster.yml"
        terminalreporter.write_line(f"skipped: {what}, since there is no image {server_image()}")


def free_neighbours(count: int) -> int:
    """Return the first of some free ports that follow one another."""
    return next(port for port in iter(free_port, None) if all(is_free(port + number) for number in range(count)))


@pytest.fixture(scope="session", params=systems())
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    """Return a system of SYSTEMS with twelve pictures: in a folder that it reads, or in an S3 store of its own."""
    if why := missing():
        pytest.skip(f"containers cannot be run: {why}")
    overlays = SYSTEMS[request.param]
    web, store = free_ports(2)
    encoder = free_neighbours(2)
    settings = {
        "WEB_PORT": str(web),
        # One for each of two encoders.
        "ENCODER_PORT": f"{encoder}-{encoder + 1}",
        "S3_PORT": str(store),
        # Docker refuses rslave where the folder's file system is mounted privately, as in many a container.
        "PICTURES_PROPAGATION": "rprivate",
    }
    bucket: Folder | Objects
    if "s3" in overlays:
        bucket = Objects(store)
        settings["AWS_SECRET_ACCESS_KEY"] = SECRET
    else:
        bucket = Folder()
        settings |= {"PICTURES_DIR": str(bucket.path)} | KEYS
    running = System(f"sightline-test-{os.getpid()}-{request.param}", overlays, settings, bucket)
    try:
        running.compose("build", "--quiet", timeout_seconds=1500)
        running.up()
        fill(bucket)
        wait_for("the pictures are indexed", lambda: len(running.indexed()) == 12)
        yield running
    finally:
        for service in running.containers():
            print(f"--- {service}")
            print(running.compose("logs", "--no-color", "--tail", "15", service))
        running.compose("--profile", "demo", "down", "--volumes", "--timeout", "20")
        running.http.close()
        bucket.close()
