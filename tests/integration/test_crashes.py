"""Nothing is lost when a process is killed with -9 in the middle of ingesting.

No file and no queue is touched by hand: the supervisor starts the process again, and that must be enough.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

import psutil
import pytest
from drawn import fill
from sightline_local.readiness import ingest_state
from waiting import wait_for, wait_for_pid

PICTURES = 250
VICTIMS = ("ingest-worker", "encoder", "qdrant-edge", "redis")


@pytest.fixture(scope="module")
def running(start, tmp_path_factory):
    return start(tmp_path_factory.mktemp("bucket"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("victim", VICTIMS)
def test_a_killed_process_loses_no_picture(running, victim):
    before = len(running.images()) if running.get("/ingest")["indexed"] else 0
    names = fill(running.bucket / victim, PICTURES, VICTIMS.index(victim) * PICTURES)

    def some_indexed() -> bool:
        state = ingest_state(running.stack)
        return state is not None and state.indexed >= before + 32

    wait_for(some_indexed, "the first pictures are indexed", 120)
    pid = wait_for_pid(running.supervisor, victim)
    children = psutil.Process(pid).children(recursive=True)
    os.kill(pid, signal.SIGKILL)
    state = ingest_state(running.stack)
    assert state is None or state.pending > 0, "killed too late: nothing was left to do"
    wait_for_pid(running.supervisor, victim, other_than=pid)

    def all_indexed() -> bool:
        state = ingest_state(running.stack)
        return state is not None and state.finished and state.indexed == before + PICTURES

    wait_for(all_indexed, f"every picture is indexed after {victim} was killed", 240)
    images = running.images()
    assert len(images) == before + PICTURES
    assert Counter(image["key"] for image in images if image["folders"] == [victim]) == Counter(
        f"{victim}/{name}" for name in names
    )
    assert {image["state"] for image in images} == {"indexed"}
    assert running.get("/ingest/failures")["failures"] == []
    wait_for(lambda: not any(child.is_running() for child in children), "its children are gone too", 30)
