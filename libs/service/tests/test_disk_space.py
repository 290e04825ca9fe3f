"""The reserve of a disk, and what is said once it is reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from sightline_service.disk_metrics import DiskCollector
from sightline_service.disk_space import MB, Disk, DiskSpace, measure, says_disk_full
from structlog.testing import capture_logs


class Space:
    """A file system of which a test says how full it is."""

    def __init__(self, total_mb: int, free_mb: int) -> None:
        self.total_mb, self.free_mb, self.files = total_mb, free_mb, 1000

    def __call__(self, _: Path) -> DiskSpace:
        return DiskSpace(self.total_mb * MB, self.free_mb * MB, self.files)


def test_a_large_disk_keeps_the_setting_and_a_small_one_a_tenth() -> None:
    for total_mb, reserve_mb in ((500_000, 512), (5_120, 512), (2_000, 200), (100, 16)):
        disk = Disk("database", Path("/x"), 512, space := Space(total_mb, total_mb))
        assert disk.reserve_bytes(space(Path())) == reserve_mb * MB
        space.free_mb = reserve_mb
        assert disk.problem() is None
        space.free_mb -= 1
        assert disk.problem() == (
            f"the disk of the database is full: {reserve_mb - 1} MB are free, and the last {reserve_mb} MB are "
            "kept in reserve (DISK_RESERVE_MB)"
        )
    assert Disk("database", Path("/x"), 1, Space(500_000, 2)).problem() is None


def test_it_is_full_until_a_quarter_of_the_reserve_more_is_free_and_says_both_once() -> None:
    disk = Disk("database", Path("/x"), 512, space := Space(500_000, 600))
    with capture_logs() as logs:
        assert disk.problem() is None
        assert disk.problem(wanted_bytes=100 * MB) is not None
        for free_mb in (500, 520, 600, 639):
            space.free_mb = free_mb
            assert disk.problem() is not None
        space.free_mb = 640
        assert disk.problem() is None
        assert disk.problem() is None
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("the disk of the database is full", "warning"),
        ("the disk of the database has room again", "info"),
    ]


def test_what_makes_room_may_take_a_part_of_the_reserve() -> None:
    disk = Disk("database", Path("/x"), 512, Space(500_000, 400))
    assert disk.problem() is not None
    assert disk.problem(share=0.5) is None


def test_a_disk_on_which_no_more_files_fit_is_full() -> None:
    disk = Disk("thumbnails", Path("/x"), 512, space := Space(500_000, 400_000))
    space.files = 3
    assert disk.problem() == "the disk of the thumbnails is full: no more files fit on it"


def test_a_folder_that_is_not_there_yet_is_on_the_disk_of_the_one_above(tmp_path: Path) -> None:
    found, above = measure(tmp_path / "not" / "there"), measure(tmp_path)
    assert found is not None
    assert above is not None
    assert found.total == above.total > 0


def test_where_the_space_is_not_known_it_is_not_full() -> None:
    disk = Disk("thumbnails", Path("/x"), 512, lambda _: None)
    assert disk.problem() is None
    registry = CollectorRegistry()
    registry.register(DiskCollector(disk, Disk("database", Path("/x"), 512, Space(500_000, 7))))
    shown = generate_latest(registry).decode()
    assert 'sightline_disk_free_bytes{disk="database"} 7.340032e+06' in shown
    assert 'sightline_disk_reserve_bytes{disk="database"} 5.36870912e+08' in shown
    assert 'disk="thumbnails"' not in shown


@pytest.mark.parametrize(
    "text",
    [
        "Service internal error: No space left on device: WAL buffer size exceeds available disk space",
        "Disk usage has reached its limit of 90% of total capacity (max_disk_usage_percent)",
        "Not enough space available for optimization",
        "MISCONF Errors writing to the AOF file: No space left on device",
        "the disk of the database is full: 1 MB are free",
    ],
)
def test_the_words_of_databases_are_known(text: str) -> None:
    assert says_disk_full(text)
    assert not says_disk_full("Qdrant is busy: too many calls; its disk is slow")
