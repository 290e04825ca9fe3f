"""What is open is found open, and what is closed is not: without this, an empty list would say nothing."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from sightline_local.exposure import Door, doors, reachable

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as another user")


@pytest.fixture
def folder():
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def test_what_is_open_is_found(folder):
    (folder / "open").write_text("x")
    (folder / "writable").write_text("x")
    (folder / "writable").chmod(0o622)
    (folder / "closed").write_text("x")
    (folder / "closed").chmod(0o600)
    (folder / "inside").mkdir(mode=0o700)
    (folder / "inside" / "open").write_text("x")
    with ExitStack() as ends:
        tcp = ends.enter_context(socket.create_server(("127.0.0.1", 0)))
        datagrams = ends.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagrams.bind(("127.0.0.1", 0))
        for name in (str(folder / "a"), str(folder / "b"), str(folder / "inside" / "c"), f"\0sightline-{os.getpid()}"):
            unix = ends.enter_context(socket.socket(socket.AF_UNIX))
            unix.bind(name)
            unix.listen()
        (folder / "a").chmod(0o777)
        (folder / "b").chmod(0o700)
        (folder / "inside" / "c").chmod(0o777)
        found = {(door.kind, door.place) for door in reachable(doors(os.getpid(), [folder]))}
        ports = {f"127.0.0.1:{each.getsockname()[1]}" for each in (tcp, datagrams)}
    assert {place for kind, place in found if kind in ("tcp", "udp")} >= ports
    assert {place for kind, place in found if kind == "unix" and "sightline" in place} == {f"@sightline-{os.getpid()}"}
    assert {place for kind, place in found if place.startswith(str(folder))} == {
        *(str(folder), str(folder / "open"), str(folder / "writable"), str(folder / "a")),
    }


def test_the_page_and_grpc_are_meant_to_be_open():
    assert Door("tcp", "127.0.0.1:1", "sightline-encoder").is_meant_to_be_open
    assert not Door("tcp", "127.0.0.1:1", "redis-server").is_meant_to_be_open
    assert not Door("unix", "/tmp/x", "sightline-encoder").is_meant_to_be_open
