from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest
from prometheus_client import CollectorRegistry
from sightline_service.process_metrics import ProcessTreeCollector

PARENT = """
import subprocess, sys
code = "import sys; print(flush=True); sys.stdin.read()"
child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(flush=True)
sys.stdin.read()
child.stdin.close()
child.wait()
"""


def value(root: int, name: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(ProcessTreeCollector(root))
    return registry.get_sample_value(f"process_{name}")


@pytest.fixture
def parent():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield psutil.Process(process.pid)
        process.stdin.close()


def test_a_process_and_its_children_are_added_up(parent):
    [child] = parent.children()
    resident = parent.memory_info().rss + child.memory_info().rss
    assert value(parent.pid, "resident_memory_bytes") == pytest.approx(resident, rel=0.1)
    assert value(parent.pid, "open_fds") == parent.num_fds() + child.num_fds()
    used = [process.cpu_times() for process in (parent, child)]
    assert value(parent.pid, "cpu_seconds_total") == pytest.approx(sum(t.user + t.system for t in used), abs=0.05)
    assert value(parent.pid, "start_time_seconds") == pytest.approx(parent.create_time(), abs=1)


def test_the_time_of_a_child_that_ended_still_counts():
    before = value(os.getpid(), "cpu_seconds_total")
    # More than is asked for below: the kernel rounds each of a process's four sums down to a hundredth of a second.
    burn = "import time\nwhile time.process_time() < 0.4: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)
    assert value(os.getpid(), "cpu_seconds_total") >= before + 0.3
    assert time.process_time() < value(os.getpid(), "cpu_seconds_total")


def test_a_process_that_ended_has_no_metrics():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert value(process.pid, "resident_memory_bytes") is None
