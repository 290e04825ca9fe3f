"""The number of processor cores that this process may use."""

from __future__ import annotations

import os
from pathlib import Path

_CPU_LIMIT_FILE = Path("/sys/fs/cgroup/cpu.max")
"""A container's CPU limit (cgroup v2): microseconds of processor time in a period, or `max`, and the period."""


def available_cores(*, limit_file: Path = _CPU_LIMIT_FILE) -> int:
    """Return the number of processor cores that this process may use: its affinity, within a container's CPU limit.

    Args:
        limit_file: The file with the container's limit; without it there is none.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    try:
        quota, period = limit_file.read_text().split()
        if quota != "max":
            cores = min(cores, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):
        pass
    return cores
