"""Another user of the machine reaches the page and the encoder's gRPC, and nothing else."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import psutil
import pytest
from drawn import fill
from sightline_local.exposure import Door, doors, reachable
from sightline_local.readiness import ingest_state
from waiting import wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as another user")


@pytest.fixture(scope="module")
def state():
    """A state as an older version left it, which everybody may enter, with a file that everybody may read."""
    parent = Path(tempfile.mkdtemp())
    parent.chmod(0o755)
    state = parent / "state"
    (state / "thumbnails").mkdir(mode=0o755, parents=True)
    (state / "thumbnails" / "old.webp").write_bytes(b"RIFF")
    yield state
    shutil.rmtree(parent)


@pytest.fixture(scope="module")
def running(state, start, tmp_path_factory):
    # The state before `start`: what is set up first goes last, when no service writes there any more.
    bucket = tmp_path_factory.mktemp("pictures") / "bucket"
    fill(bucket, 12)
    system = start(bucket, writable=True, state=state)
    wait_for(lambda: (now := ingest_state(system.stack)) and now.finished and now.indexed == 12, "all is indexed")
    return system


@pytest.fixture(scope="module")
def supervisor():
    [found] = [each for each in psutil.Process().children() if "sightline_local.supervisor" in each.cmdline()]
    return found


def test_another_user_reaches_the_page_and_grpc_alone(running, state, supervisor):
    running.http.post("/api/v1/search", files={"file": ("one.jpg", (running.bucket / "picture-0001.jpg").read_bytes())})
    found = doors(supervisor.pid, [state, running.stack.sockets])
    kinds = {kind: [door for door in found if door.kind == kind] for kind in ("tcp", "udp", "unix", "file")}
    # Redis, qdrant-edge, metrics of four, and what supervises them: there is something to be tried.
    assert len(kinds["unix"]) >= 6
    assert {Path(door.place).name for door in kinds["file"]} >= {"old.webp", "encoder.log", "environ"}
    stack = running.stack
    assert reachable(found) == {
        Door("tcp", f"127.0.0.1:{stack.ports.gateway}", "sightline-search-gateway"),
        Door("tcp", stack.encoder_address, "sightline-encoder"),
    }


def test_no_command_line_shows_a_key(running, supervisor):
    key = running.stack.database_key
    assert len(key) >= 32
    for process in (supervisor, *supervisor.children(recursive=True)):
        assert key not in " ".join(process.cmdline())


def test_all_that_is_written_is_for_the_owner_alone(running, state):
    for path in (state, running.stack.sockets, *state.rglob("*"), *running.stack.sockets.rglob("*")):
        assert not path.lstat().st_mode & 0o077, path
