"""A service knows how much memory it may take."""

from __future__ import annotations

import pytest
from sightline_service.memory import available_memory

MACHINE = "MemTotal:       16000 kB\nMemFree:          200 kB\nMemAvailable:    8000 kB\n"


@pytest.fixture
def machine(tmp_path):
    file = tmp_path / "meminfo"
    file.write_text(MACHINE)
    return file


@pytest.mark.parametrize(
    ("limit", "used", "expected"),
    [("max", 500, 8_192_000), ("1000000", 400_000, 650_000), ("1000000", 1_200_000, 0), ("99000000", 0, 8_192_000)],
)
def test_what_is_left_of_a_containers_limit_bounds_the_memory(tmp_path, machine, limit, used, expected):
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text(f"{used}\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 50000\nactive_file 7\n")
    assert available_memory(group=tmp_path, machine_file=machine) == expected


def test_without_a_container_it_is_the_machines(tmp_path, machine):
    assert available_memory(group=tmp_path / "none", machine_file=machine) == 8_192_000


def test_where_the_system_does_not_say_it_is_unknown(tmp_path):
    assert available_memory(group=tmp_path, machine_file=tmp_path / "none") is None
