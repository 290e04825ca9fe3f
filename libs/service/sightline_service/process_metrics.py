"""The `process_*` metrics of a service of several processes, added up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import psutil
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class ProcessTreeCollector(Collector):
    """The `process_*` metrics of a process and its descendants, added up, under their usual names.

    prometheus_client omits them where several processes share their metrics. Memory that processes share counts in each
    of them. Processes that end while they are measured are skipped.

    Args:
        root: The process id of the topmost.
    """

    def __init__(self, root: int) -> None:
        self._root = root

    def collect(self) -> Iterator[Metric]:
        """Measure the processes that run now."""
        try:
            root = psutil.Process(self._root)
            started = root.create_time()
            tree = [root, *root.children(recursive=True)]
        except psutil.Error:
            return
        resident = descriptors = 0
        cpu_seconds = 0.0
        for process in tree:
            with suppress(psutil.Error), process.oneshot():
                times = process.cpu_times()
                # With the time of children that have ended: without it, the sum would fall when one does.
                cpu_seconds += times.user + times.system + times.children_user + times.children_system
                resident += process.memory_info().rss
                descriptors += process.num_fds()
        yield GaugeMetricFamily(
            "process_resident_memory_bytes", "Resident memory of all processes of the service.", value=resident
        )
        yield CounterMetricFamily(
            "process_cpu_seconds_total", "User and system CPU time of all processes of the service.", value=cpu_seconds
        )
        yield GaugeMetricFamily(
            "process_open_fds", "Open file descriptors of all processes of the service.", value=descriptors
        )
        yield GaugeMetricFamily(
            "process_start_time_seconds", "Start time of the service since unix epoch in seconds.", value=started
        )
