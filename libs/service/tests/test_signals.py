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
NOT_WOKEN = """
import signal, sys, time
from threading import Condition, Event, Thread, main_thread
from sightline_service.signals import stop_event
stop = stop_event()
other = Thread(target=Event().wait, daemon=True)
other.start()
def send():
    while sys._current_frames()[main_thread().ident].f_code is not Condition.wait.__code__:
        time.sleep(0.01)
    for _ in range(20):  # The main thread passes its last check for signals, and sleeps.
        time.sleep(0.01)
    signal.pthread_kill(other.ident, signal.SIGTERM)
Thread(target=send).start()
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


@pytest.mark.parametrize("program", [IN_THE_WAY, NOT_WOKEN], ids=["event's lock held", "main thread not woken"])
def test_a_signal_at_a_bad_moment_ends_the_wait(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr
