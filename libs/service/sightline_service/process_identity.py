"""Whether a process is still the one that was met before: process ids are given again.

psutil's public `create_time` follows changes of the system clock; the kernel's ticks since boot do not.
"""

from __future__ import annotations


def process_start(pid: int) -> float:
    """Return when a process began, in the kernel's ticks since boot; 0 if there is none, or it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, in parentheses, may hold anything.
            fields = file.read().rpartition(b")")[2].split()
        # One that has ended stays as a zombie until its parent asks for its status.
        return 0.0 if fields[0] in (b"Z", b"X") else float(fields[19])
    except (OSError, IndexError, ValueError):
        return 0.0


def is_alive(pid: int, started: float) -> bool:
    """Return whether the process of that id is the one that began then."""
    return process_start(pid) == started
