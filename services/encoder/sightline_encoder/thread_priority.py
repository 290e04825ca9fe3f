"""The niceness of single threads."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

NICENESS_STEP = 5
"""A third of the share of a thread that keeps its own. Enough that a text's thread, when it wakes, runs at once; not so
much that pictures starve beside the workers that decode them."""


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
