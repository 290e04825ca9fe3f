"""Process identity: id and start time, since the kernel reuses process ids.

psutil's public `create_time` follows changes of the system clock; the kernel's ticks since boot do not.
"""

from __future__ import annotations


def process_start(pid: int) -> float:
    """Return the start time of a process in the kernel's ticks since boot; 0 if no such process runs."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, in parentheses, may hold anything.
            fields = file.read().rpartition(b")")[2].split()
        # One that has ended stays as a zombie until its parent asks for its status.
        return 0.0 if fields[0] in (b"Z", b"X") else float(fields[19])
    except (OSError, IndexError, ValueError):
        return 0.0


def is_alive(pid: int, started: float) -> bool:
    """Return whether the process with this id and start time runs."""
    return process_start(pid) == started
