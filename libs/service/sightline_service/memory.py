"""How much memory this process may still take."""

from __future__ import annotations

import re
from pathlib import Path

_GROUP = Path("/sys/fs/cgroup")
"""A container's memory (cgroup v2): its limit is a number of bytes, or `max`."""
_MACHINE_FILE = Path("/proc/meminfo")


def available_memory(*, group: Path = _GROUP, machine_file: Path = _MACHINE_FILE) -> int | None:
    """Return the bytes that this process may still take: on the machine, within what is left of a container's limit.

    Args:
        group: The folder of the container's files; without them there is no limit.
        machine_file: Linux's `/proc/meminfo`; None is returned where there is none.
    """
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB$", machine_file.read_text(), re.MULTILINE)
    except OSError:
        found = None
    if found is None:
        return None
    available = 1024 * int(found.group(1))
    try:
        left = int((group / "memory.max").read_text()) - int((group / "memory.current").read_text())
        # Pages of files that are given back when there is need.
        cached = re.search(r"^inactive_file (\d+)$", (group / "memory.stat").read_text(), re.MULTILINE)
    except (OSError, ValueError):
        return available
    return max(0, min(available, left + (int(cached.group(1)) if cached else 0)))
