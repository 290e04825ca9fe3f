"""What a service of several processes takes, all of them together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

PROC = Path("/proc")


@dataclass(frozen=True)
class _Process:
    """One line of /proc/PID/stat. Times are in ticks, `resident` is in pages."""

    pid: int
    parent: int
    cpu: int
    started: int
    resident: int


class ProcessTreeCollector(Collector):
    """The `process_*` metrics of a process and all that came from it, added up, under their usual names.

    prometheus_client leaves them out where several processes share their metrics. Memory that processes share counts
    in each of them. Nothing is reported where there is no /proc.

    Args:
        root: The process id of the first.
    """

    def __init__(self, root: int, proc: Path = PROC) -> None:
        self._root = root
        self._proc = proc

    def collect(self) -> Iterator[Metric]:
        """Look at the processes that there are now."""
        members = self._members()
        if not members:
            return
        ticks = os.sysconf("SC_CLK_TCK")
        resident = sum(member.resident for member in members) * os.sysconf("SC_PAGE_SIZE")
        yield GaugeMetricFamily(
            "process_resident_memory_bytes", "Resident memory of all processes of the service.", value=resident
        )
        yield CounterMetricFamily(
            "process_cpu_seconds_total",
            "User and system CPU time of all processes of the service.",
            value=sum(member.cpu for member in members) / ticks,
        )
        yield GaugeMetricFamily(
            "process_open_fds",
            "Open file descriptors of all processes of the service.",
            value=sum(self._descriptors(member.pid) for member in members),
        )
        yield GaugeMetricFamily(
            "process_start_time_seconds",
            "Start time of the service since unix epoch in seconds.",
            value=self._boot_time() + members[0].started / ticks,
        )

    def _members(self) -> list[_Process]:
        """Return the first process and its descendants; empty if it is not there."""
        found: dict[int, _Process] = {}
        children: dict[int, list[int]] = {}
        for entry in self._proc.iterdir() if self._proc.is_dir() else ():
            process = self._read(entry) if entry.name.isdigit() else None
            if process is not None:
                found[process.pid] = process
                children.setdefault(process.parent, []).append(process.pid)
        members = [self._root] if self._root in found else []
        for pid in members:
            members += children.get(pid, [])
        return [found[pid] for pid in members]

    def _read(self, folder: Path) -> _Process | None:
        try:
            # The name, in parentheses, may hold anything.
            fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            return None
        # With the time of children that have ended: without it, the sum would fall when one does.
        cpu = sum(int(ticks) for ticks in fields[11:15])
        return _Process(int(folder.name), int(fields[1]), cpu, int(fields[19]), int(fields[21]))

    def _descriptors(self, pid: int) -> int:
        try:
            return len(os.listdir(self._proc / str(pid) / "fd"))
        except OSError:
            return 0

    def _boot_time(self) -> float:
        for line in (self._proc / "stat").read_text().splitlines():
            if line.startswith("btime "):
                return float(line.split()[1])
        return 0.0
