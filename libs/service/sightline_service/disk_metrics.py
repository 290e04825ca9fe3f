"""The free space of disks, as metrics."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sightline_service.disk_space import Disk


class DiskCollector(Collector):
    """`sightline_disk_free_bytes` and `sightline_disk_reserve_bytes` of disks, measured when they are asked for."""

    def __init__(self, *disks: Disk) -> None:
        self._disks = disks

    def collect(self) -> Iterator[Metric]:
        """Measure the disks now; one whose space is not known is left out."""
        free = GaugeMetricFamily(
            "sightline_disk_free_bytes", "Free space of the disk of the database, or of thumbnails.", labels=["disk"]
        )
        reserve = GaugeMetricFamily(
            "sightline_disk_reserve_bytes", "How much of it is kept free; with less it is full.", labels=["disk"]
        )
        for disk in self._disks:
            space = disk.space()
            if space is not None:
                free.add_metric([disk.name], space.free)
                reserve.add_metric([disk.name], disk.reserve_bytes(space))
        yield free
        yield reserve
