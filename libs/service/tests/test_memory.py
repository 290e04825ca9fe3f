"""A service knows how much memory it may take."""

from __future__ import annotations

import pytest
from sightline_service.memory import available_memory

MACHINE = "MemTotal:       16000 kB\nMemFree:          200 kB\nMemAvailable:    8000 kB\n"


@pytest.mark.parametrize(
    ("limit", "expected"), [("max\n", 8_192_000), ("1000000\n", 1_000_000), ("99000000\n", 8_192_000), ("", 8_192_000)]
)
def test_a_containers_limit_bounds_the_memory(tmp_path, limit, expected):
    files = {"limit_file": tmp_path / "limit", "machine_file": tmp_path / "machine"}
    files["limit_file"].write_text(limit)
    files["machine_file"].write_text(MACHINE)
    assert available_memory(**files) == expected


def test_without_a_container_it_is_the_machines(tmp_path):
    machine = tmp_path / "machine"
    machine.write_text(MACHINE)
    assert available_memory(limit_file=tmp_path / "none", machine_file=machine) == 8_192_000


def test_where_the_system_does_not_say_it_is_unknown(tmp_path):
    assert available_memory(limit_file=tmp_path / "none", machine_file=tmp_path / "none") is None
