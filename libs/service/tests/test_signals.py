"""A process that is told to stop hears it, whatever it does at that moment."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

WAITING = """
from sightline_service.signals import stop_event
stop = stop_event()
print("ready", flush=True)
stop.wait()
print("stopped", flush=True)
"""
IN_THE_WAY = """
import os, signal
from sightline_service.signals import stop_event
stop = stop_event()
with stop._cond:  # As in the first moment of wait().
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(1000):
        pass
stop.wait()
print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait(number):
    with subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.communicate(timeout=60)[0] == "stopped\n"
    assert process.returncode == 0


def test_a_signal_while_the_events_lock_is_held_ends_the_wait():
    done = subprocess.run([sys.executable, "-c", IN_THE_WAY], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr
