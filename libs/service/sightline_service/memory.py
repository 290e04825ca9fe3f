"""How much memory this process may still take."""

from __future__ import annotations

import re
from pathlib import Path

_LIMIT_FILE = Path("/sys/fs/cgroup/memory.max")
"""A container's limit (cgroup v2), in bytes, or `max`."""
_MACHINE_FILE = Path("/proc/meminfo")


def available_memory(*, limit_file: Path = _LIMIT_FILE, machine_file: Path = _MACHINE_FILE) -> int | None:
    """Return the bytes that are available to this process: on the machine, within a container's limit.

    Args:
        limit_file: The file with the container's limit; without it there is none.
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
        limit = limit_file.read_text().strip()
    except OSError:
        return available
    return min(available, int(limit)) if limit.isdigit() else available
