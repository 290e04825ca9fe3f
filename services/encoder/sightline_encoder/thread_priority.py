"""Thread priority: lowers that of single threads, by their niceness."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

NICENESS_STEP = 5
"""Leaves a thread a third of the share of one that keeps its niceness. Enough for a text's thread to run as soon as it
wakes; not so much that images starve beside the workers that decode them."""


def lower_thread_priority() -> None:
    """Raise the niceness of the calling thread, and of every thread that it starts, above that of the process.

    Linux keeps a niceness for each thread. Elsewhere nothing happens.
    """
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    # A container may forbid it, which costs speed and nothing else.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS_STEP))
