"""A process that ends with its parent leaves nothing behind, even where the parent is killed."""

from __future__ import annotations

import os
import subprocess
import sys

CHILD = """
import sys, time
from sightline_service.parent_death import die_with_parent
die_with_parent(int(sys.argv[1]))
print("up", flush=True)
time.sleep(600)
"""
PARENT = "import os, subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1], str(os.getpid())])"


def test_it_ends_when_its_parent_is_killed():
    # The child alone holds the other end of the pipe once its parent is gone, so that its end is the end of the file.
    with subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "up\n"
        parent.kill()
        assert parent.communicate(timeout=60)[0] == ""


def test_it_ends_at_once_if_its_parent_is_gone_already():
    stranger = os.getpid() + 1
    done = subprocess.run([sys.executable, "-c", CHILD, str(stranger)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
